/**
 * How a rotation goes. The order of steps is written here and nowhere else.
 *
 *   lease → read → due? → prepare → probe → propose → save pending → apply → verify → publish → confirm → follow-ups → release
 *
 * Every step may be the last one of this worker. Whoever comes next starts at the top: what has been done is found again in the vault
 * and at the target, never in a memory of the worker before.
 */
import { credentialName } from '../contract/credential.ts';
import type { Vault } from '../contract/ports.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import { Attempt } from './attempt.ts';
import { makeAccepted } from './candidate.ts';
import { type Current, readCurrent } from './current.ts';
import type { EngineDependencies, Published } from './dependencies.ts';
import { type DueReason, decide, type SkipReason } from './due.ts';
import { rotationIdOf } from './identifiers.ts';
import { closePending } from './pending.ts';
import { probe } from './probe.ts';
import { confirm, publish } from './publish.ts';
import type { RotationRequest } from './request.ts';
import type { RotationResult } from './result.ts';
import { prepare, type Target } from './target.ts';

/**
 * Rotates one secret, or says why not. May be called any number of times for one request, at once or after a crash anywhere: they make
 * one new version between them. Never throws for anything a vault, a target or a person did.
 */
export async function rotate(deps: EngineDependencies, request: RotationRequest): Promise<RotationResult> {
  const about = { rotationId: request.rotationId ?? '', vault: request.vault, secret: request.secret };
  const vault = deps.vaults.get(request.vault.toLowerCase());
  if (vault === undefined) return { ...about, kind: 'failed', failure: failure('vault-unknown', about), steps: [] };
  const acquired = await deps.leases.acquire(vault.name, request.secret);
  if (acquired.kind === 'failed') return { ...about, kind: 'failed', failure: acquired, steps: [] };
  if (acquired.kind === 'busy') {
    return { ...about, kind: 'skipped', reason: 'busy', detail: 'another worker is at it', steps: [] };
  }
  const attempt = new Attempt(acquired.lease, deps, { ...about, vault: vault.name });
  try {
    const outcome = await underLease(deps, vault, request, attempt);
    return isFailure(outcome) ? { ...attempt.about, kind: 'failed', failure: outcome, steps: attempt.steps } : outcome;
  } finally {
    await acquired.lease.release();
  }
}

async function underLease(
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
  const decision = decide({ properties: secret, stamp, request, rotationId, now: secret.readAt }, policy);
  if (decision.kind === 'skip') {
    const made =
      decision.reason === 'already-rotated'
        ? await followUp(deps, attempt, publishedAs(current, attempt), true)
        : decision;
    return isFailure(made) ? made : skipped(attempt, decision.reason, decision.detail);
  }

  const asked = { rotationId, emergency: request.mode === 'emergency' };
  const target = await attempt.step('prepare', ({ signal }) => prepare(deps, vault, current, asked, signal));
  if (isFailure(target)) return target;
  return replace({ deps, vault, request, attempt, current, target, reason: decision.reason });
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
  const found = await attempt.step('probe', (time) => probe(vault, current, target, request.mode, time));
  if (isFailure(found)) return found;

  const accepted = await makeAccepted(work, found);
  if (isFailure(accepted)) return accepted;

  const { credential, warnings, pendingVersion } = accepted;
  const draft = { rotationId: attempt.about.rotationId, credential, emergency: request.mode === 'emergency' };
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
    { ...about, retireBy, expiresAt, notify: current.policy.notify, now },
    false,
  );
  if (isFailure(told)) return told;
  if (pendingVersion !== undefined) {
    await attempt.step('close pending', ({ signal }) =>
      closePending(vault, current.secret.name, pendingVersion, signal),
    );
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

async function followUp(deps: EngineDependencies, attempt: Attempt, published: Published, again: boolean) {
  return attempt.step('follow up', () => deps.followUps.published(published, again));
}

/** What a version made before says of itself. */
function publishedAs(current: Current, attempt: Attempt): Published {
  const { secret, stamp, policy } = current;
  const { retireBy } = stamp ?? {};
  const about = { ...attempt.about, from: stamp?.from ?? '', to: secret.version };
  return { ...about, retireBy, expiresAt: secret.expiresAt, notify: policy.notify, now: secret.readAt };
}

function skipped(attempt: Attempt, reason: SkipReason, detail: string): RotationResult {
  return { ...attempt.about, kind: 'skipped', reason, detail, steps: attempt.steps };
}
