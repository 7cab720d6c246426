/** What is looked at before an attempt is made for nobody in particular: the freeze, failures, and whether it was done before. */
import type { Attention, Freeze, Trouble } from '../contract/state.ts';
import { calm } from '../contract/trouble.ts';
import { type Hold, holdByFailures, holdOnScheduled, holdText } from '../engine/policy/hold.ts';
import { rotationIdOf } from '../engine/policy/identifiers.ts';
import type { RotationRequest } from '../engine/policy/request.ts';
import type { RetirementRequest } from '../engine/retirement/request.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import type { Failed, Skipped } from '../engine/running/result.ts';
import { type Failure, isFailure } from '../errors.ts';
import type { Log } from '../telemetry.ts';

interface Deps {
  readonly engine: Pick<EngineDependencies, 'followUps'>;
  readonly attention: Pick<Attention, 'of'>;
  readonly freeze: Pick<Freeze, 'read'>;
  readonly log: Log;
  readonly now: () => Date;
}

export interface Before {
  readonly held?: Skipped | Failed;
  /** What went wrong before, so that it can be forgotten when all is well. */
  readonly trouble: Trouble;
}

/** The name under which the sweep asks, also for what a person wanted and nobody has finished. */
export const sweepName = 'sweep';

/** The name under which a secret asks that its tag `on-foreign-version` is kept. */
export const foreignVersionName = 'on-foreign-version';

/** Whether nobody asked, or nobody waits for the answer. */
export function isAutomatic({ mode, requestedBy }: Pick<RotationRequest | RetirementRequest, 'mode' | 'requestedBy'>) {
  return ['scheduled', 'resume'].includes(mode) || [sweepName, foreignVersionName].includes(requestedBy);
}

/**
 * Only what is automatic is held back; a person who asks has looked. A freeze and a pause let through what stopped half-way, because its
 * target may depend on a candidate already. The pause of a person stands in the vault and is found there.
 */
export async function lookBefore(deps: Deps, request: RotationRequest): Promise<Before> {
  const { vault, secret, mode } = request;
  const automatic = isAutomatic(request);
  const named = namedRotation(request);
  const about = { rotationId: named ?? request.rotationId ?? '', vault, secret, steps: [] };

  // Asked first and alone: of every event that comes again it is all that is asked.
  const followUps = named === undefined ? undefined : await deps.engine.followUps.done(named);
  if (followUps?.kind === 'failed') return held(about, followUps);
  if (followUps?.done === true) {
    const detail = 'an event before this one asked for the same';
    return { held: { ...about, kind: 'skipped', reason: 'already-rotated', detail }, trouble: calm };
  }
  const freezable = automatic && (mode === 'scheduled' || mode === 'repair');
  const [freeze, trouble] = await Promise.all([
    freezable ? deps.freeze.read() : undefined,
    deps.attention.of(vault, secret),
  ]);
  if (freeze !== undefined && isFailure(freeze)) return frozenUnread(deps, about, freeze);
  // What a person asks for needs none of it; what it leaves behind is forgotten by the next look.
  if (isFailure(trouble)) return automatic ? held(about, trouble) : { trouble: calm };
  const now = deps.now();
  const hold =
    freeze === undefined
      ? automatic
        ? holdByFailures(trouble.rotation, now)
        : undefined
      : holdOnScheduled({ freeze, requested: {}, trouble, now });
  return hold === undefined ? { trouble } : { held: { ...about, kind: 'skipped', ...leftFor(hold) }, trouble };
}

/** The same before an old credential is ended because its time has come: only its own failures hold that back. */
export async function lookBeforeRetirement(
  deps: Pick<Deps, 'attention' | 'now'>,
  request: RetirementRequest,
): Promise<Before> {
  const { vault, secret, rotationId } = request;
  const about = { rotationId, vault, secret, steps: [] };
  const trouble = await deps.attention.of(vault, secret);
  // An end that is due must not wait for a count of failures.
  if (isFailure(trouble)) return { trouble: calm };
  const hold = isAutomatic(request) ? holdByFailures(trouble.retirement, deps.now()) : undefined;
  return hold === undefined ? { trouble } : { held: { ...about, kind: 'skipped', ...leftFor(hold) }, trouble };
}

type About = Pick<Skipped, 'rotationId' | 'vault' | 'secret' | 'steps'>;

function held(about: About, failure: Failure): Before {
  return { held: { ...about, kind: 'failed', failure }, trouble: calm };
}

/** It counts as frozen, and comes back when the freeze can be read. */
function frozenUnread({ log }: Deps, about: About, failure: Failure): Before {
  const { code, message: detail, hint } = failure;
  log.error('freeze-unreadable', { secret: about.secret, code, detail, hint });
  return held(about, failure);
}

function leftFor(hold: Hold): Pick<Skipped, 'reason' | 'detail'> {
  return { reason: hold.by === 'freeze' ? 'frozen' : 'paused', detail: holdText(hold) };
}

/**
 * An event names the version it is about, and with it the rotation. Most of a storm are events that come again: when all that they ask
 * for is known to be done, neither lease nor vault is asked. A version that comes back from a backup is found by the sweep, which names
 * none.
 */
function namedRotation({ vault, secret, version, mode, rotationId }: RotationRequest): string | undefined {
  const automatic = mode === 'scheduled' && rotationId === undefined;
  return automatic && version !== undefined ? rotationIdOf(vault, secret, version) : undefined;
}
