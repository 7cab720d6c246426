/** What is looked at before a rotation is begun for nobody in particular: the freeze, the quarantine, and whether it was done before. */
import type { Attention, Freeze, FreezeState, Trouble } from '../contract/state.ts';
import type { SkipReason } from '../engine/policy/due.ts';
import { rotationIdOf } from '../engine/policy/identifiers.ts';
import type { RotationRequest } from '../engine/policy/request.ts';
import type { RotationResult } from '../engine/rotation/result.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import { type Failure, isFailure } from '../errors.ts';

interface Deps {
  readonly engine: Pick<EngineDependencies, 'followUps'>;
  readonly attention: Pick<Attention, 'of'>;
  readonly freeze: Pick<Freeze, 'read'>;
}

export interface Before {
  readonly held?: RotationResult;
  /** No failure of this secret is counted, so that there is none to clear. */
  readonly calm: boolean;
}

/**
 * Only what is automatic is held back; a person who asks has looked. A freeze lets through what stopped half-way: its target may depend
 * on a candidate already. A quarantine does not: it failed the same way each time, and a person was told.
 */
export async function lookBefore(deps: Deps, request: RotationRequest): Promise<Before> {
  if (request.mode !== 'scheduled' && request.mode !== 'resume') return { calm: false };
  const { vault, secret } = request;
  const named = namedRotation(request);
  const about = { rotationId: named ?? request.rotationId ?? '', vault, secret, steps: [] };
  const hold = (failure: Failure): Before => ({ held: { ...about, kind: 'failed', failure }, calm: false });

  // Asked first and alone: of every event that comes again it is all that is asked.
  const followUps = named === undefined ? undefined : await deps.engine.followUps.done(named);
  if (followUps?.kind === 'failed') return hold(followUps);
  if (followUps?.done === true) {
    const detail = 'an event before this one asked for the same';
    return { held: { ...about, kind: 'skipped', reason: 'already-rotated', detail }, calm: true };
  }
  const [frozen, trouble] = await Promise.all([deps.freeze.read(), deps.attention.of(vault, secret)]);
  if (isFailure(frozen)) return hold(frozen);
  if (isFailure(trouble)) return hold(trouble);
  const reason = reasonToHold(request, frozen, trouble);
  const calm = trouble.failures === 0;
  return reason === undefined ? { calm } : { held: { ...about, kind: 'skipped', ...reason }, calm };
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

function reasonToHold(
  request: RotationRequest,
  frozen: FreezeState,
  trouble: Trouble,
): { readonly reason: SkipReason; readonly detail: string } | undefined {
  if (frozen.frozen && request.mode === 'scheduled')
    return { reason: 'frozen', detail: `frozen by ${frozen.by ?? 'somebody'}: ${frozen.reason ?? ''}` };
  if (trouble.quarantined)
    return { reason: 'paused', detail: `${trouble.failures} failures in a row: ${trouble.last?.message ?? ''}` };
  return undefined;
}
