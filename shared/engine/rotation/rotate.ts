/**
 * How a rotation goes. The order of steps is written here and nowhere else.
 *
 *   lease → read → due? → prepare → probe → propose → save pending → apply → verify → publish → confirm → follow-ups → release
 *
 * Every step may be the last one of this worker. Whoever comes next starts at the top: what has been done is found again in the vault
 * and at the target, never in a memory of the worker before.
 */
import { credentialName } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { type Current, readCurrent } from '../policy/current.ts';
import { type DueReason, decide, type SkipReason } from '../policy/due.ts';
import { rotationIdOf } from '../policy/identifiers.ts';
import type { RotationRequest } from '../policy/request.ts';
import { readStamp } from '../policy/stamp.ts';
import { retireUnderLease } from '../retirement/retire.ts';
import type { Attempt } from '../running/attempt.ts';
import type { EngineDependencies, Published } from '../running/dependencies.ts';
import { prepare, type Target } from '../running/target.ts';
import { underLease } from '../running/under-lease.ts';
import { makeAccepted } from './candidate.ts';
import { closePending } from './pending.ts';
import { probe } from './probe.ts';
import { confirm, publish } from './publish.ts';
import type { RotationResult } from './result.ts';
import { probeEarlier } from './roll-back.ts';

/**
 * Rotates one secret, or says why not. May be called any number of times for one request, at once or after a crash anywhere: they make
 * one new version between them. Never throws for anything a vault, a target or a person did.
 */
export async function rotate(deps: EngineDependencies, request: RotationRequest): Promise<RotationResult> {
  return underLease(deps, request, (vault, attempt) => rotateUnderLease(deps, vault, request, attempt));
}

async function rotateUnderLease(
  deps: EngineDependencies,
  vault: Vault,
  request: RotationRequest,
  attempt: Attempt,
): Promise<RotationResult | Failure> {
  const current = await attempt.step('read', ({ signal }) => readCurrent(deps, vault, request.secret, signal));
  if (isFailure(current)) return current;
  if (current.kind === 'opted-out') return skipped(attempt, 'opted-out', 'it has no tag "rotator"');

  const { secret, stamp, policy } = current;
  const rotationId = request.rotationId ?? rotationIdOf(vault.name, secret.name, request.version ?? secret.version);
  attempt.identify(rotationId);
  attempt.tellTo(policy.notify);
  const decision = decide({ properties: secret, stamp, request, rotationId, now: secret.readAt }, policy);
  if (decision.kind === 'skip') {
    const made =
      decision.reason === 'already-rotated'
        ? await followUp(deps, attempt, publishedAs(current, attempt), true)
        : decision;
    if (isFailure(made)) return made;
    if (decision.reason === 'already-rotated' && request.mode === 'emergency') {
      // Whoever made the version may have died before the old credential was ended.
      const revoked = await revokeNow({ deps, vault, request, attempt }, rotationId);
      if (isFailure(revoked)) return revoked;
    }
    return skipped(attempt, decision.reason, decision.detail);
  }

  const before = await madeBefore(vault, request, attempt, current);
  if (before !== undefined) return before;

  const asked = { rotationId, emergency: request.mode === 'emergency' };
  const target = await attempt.step('prepare', ({ signal }) => prepare(deps, vault, current, asked, signal));
  if (isFailure(target)) return target;
  return replace({ deps, vault, request, attempt, current, target, reason: decision.reason });
}

/**
 * A person's request that names no version may come again after a later rotation, when the current version does not tell of it any more:
 * its worker died between the publish and the end of its message. Then an older version does.
 */
async function madeBefore(vault: Vault, request: RotationRequest, attempt: Attempt, current: Current) {
  const { rotationId, version } = request;
  if (rotationId === undefined || version !== undefined) return undefined;
  const { name } = current.secret;
  const listed = await attempt.step('look back', ({ signal }) => vault.versions(name, { signal }));
  if (isFailure(listed)) return listed;
  const made = listed.versions.find(({ tags }) => readStamp(tags)?.rotationId === rotationId);
  if (made === undefined) return undefined;
  return skipped(
    attempt,
    'already-rotated',
    `version ${made.version} was made by this rotation, and another one since`,
  );
}

interface Replacement {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly request: RotationRequest;
  readonly attempt: Attempt;
  readonly current: Current;
  readonly target: Target;
  readonly reason: DueReason;
}

/** From here on things change: first at the target, then in the vault. */
async function replace(work: Replacement): Promise<RotationResult | Failure> {
  const { deps, vault, request, attempt, current, target, reason } = work;
  const found = await attempt.step('probe', (time) =>
    request.mode === 'roll-back'
      ? probeEarlier(vault, current, target, request.to, time)
      : probe(vault, current, target, request.mode, time),
  );
  if (isFailure(found)) return found;
  const begun = found.stored ?? found.applied;
  if (request.mode === 'resume' && begun === undefined) return nothingToResume(work, found.pendingVersion);

  const accepted = await makeAccepted(work, found);
  if (isFailure(accepted)) return accepted;

  const { credential, warnings, pendingVersion } = accepted;
  const rotationId = found.rotationId ?? attempt.about.rotationId;
  const draft = { rotationId, credential, emergency: request.mode === 'emergency' };
  const published = await attempt.step('publish', ({ signal }) => publish(vault, current, target, draft, signal));
  const confirmed = await attempt.step('confirm', ({ signal }) =>
    confirm(vault, current, draft, published, deps.wait, signal),
  );
  if (isFailure(confirmed)) return confirmed;

  const { to, retireBy, expiresAt, now } = confirmed;
  const about = { ...attempt.about, from: current.secret.version, to };
  const told = await followUp(
    deps,
    attempt,
    { ...about, ...wishes(current), rotationId, retireBy, expiresAt, login: credentialName(credential), now },
    false,
  );
  if (isFailure(told)) return told;
  if (pendingVersion !== undefined) await close(vault, attempt, current, pendingVersion);
  if (draft.emergency) {
    const revoked = await revokeNow(work, rotationId);
    if (isFailure(revoked)) return revoked;
  }
  const { strategy } = current.policy;
  const times = { ...(retireBy === undefined ? {} : { retireBy }), ...(expiresAt === undefined ? {} : { expiresAt }) };
  return {
    ...about,
    ...times,
    kind: 'rotated',
    reason,
    strategy,
    login: credentialName(credential),
    warnings,
    steps: attempt.steps,
  };
}

/** The rotation that stored the candidate is over; what is left of it is closed. */
async function nothingToResume({ vault, attempt, current }: Replacement, stale: string | undefined) {
  const closed = stale === undefined ? undefined : await close(vault, attempt, current, stale);
  return closed !== undefined && isFailure(closed)
    ? closed
    : skipped(attempt, 'not-due', 'no stored candidate waits to be published');
}

async function close(vault: Vault, attempt: Attempt, current: Current, version: string) {
  return attempt.step('close pending', ({ signal }) => closePending(vault, current.secret.name, version, signal));
}

/** In an emergency the old credential ends now, under the same lease, and not when a queue gets to it. */
async function revokeNow(
  { deps, vault, request, attempt }: Pick<Replacement, 'deps' | 'vault' | 'request' | 'attempt'>,
  rotationId: string,
) {
  const { secret, requestedBy } = request;
  const retirement = { vault: vault.name, secret, rotationId, mode: 'emergency' as const, requestedBy };
  return retireUnderLease({ deps, vault, attempt, request: retirement });
}

async function followUp(deps: EngineDependencies, attempt: Attempt, published: Published, again: boolean) {
  return attempt.step('follow up', () => deps.followUps.published(published, again));
}

/** What a version made before says of itself. */
function publishedAs(current: Current, attempt: Attempt): Published {
  const { secret, stamp } = current;
  const { retireBy } = stamp ?? {};
  const about = { ...attempt.about, from: stamp?.from ?? '', to: secret.version };
  return { ...about, ...wishes(current), retireBy, expiresAt: secret.expiresAt, now: secret.readAt };
}

function wishes({ policy }: Current): Pick<Published, 'notify' | 'consumers'> {
  return { notify: policy.notify, consumers: policy.consumers };
}

function skipped(attempt: Attempt, reason: SkipReason, detail: string): RotationResult {
  return { ...attempt.about, kind: 'skipped', reason, detail, steps: attempt.steps };
}
