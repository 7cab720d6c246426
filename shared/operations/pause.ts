/** A pause of one secret by a person: it stands in the vault, so that losing the storage account does not end it in silence. */
import type { History, Lease, SecretProperties, Vault } from '../contract/ports.ts';
import { type Requested, readRequested, withRequested } from '../engine/policy/requested.ts';
import { leaseMarginMs } from '../engine/running/attempt.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import type { Log } from '../telemetry.ts';

type Current = SecretProperties & { readonly version: string };

export type Changed =
  /** `before`: what stood there. */
  | { readonly kind: 'changed'; readonly current: Current; readonly before: Requested }
  | { readonly kind: 'opted-out' }
  /** A worker was at the secret all the time. */
  | { readonly kind: 'busy' }
  | Failure;

/** Most rotations are done by then, in ms. */
const patienceMs = 20_000;
const lookAgainMs = 1_000;

interface Deps {
  readonly engine: Pick<EngineDependencies, 'leases' | 'wait' | 'elapsedMs'>;
}

/**
 * Changes what stands in the tag `requested` of the current version. Under the lease: a rotation carries over the tags that it read, and
 * would lose a pause that was written meanwhile. `change` is pure; what it leaves as it is writes nothing. May be called again.
 */
export async function changeRequested(
  deps: Deps,
  vault: Vault,
  secret: string,
  change: (requested: Requested) => Requested,
  signal: AbortSignal,
): Promise<Changed> {
  const seen = await newestOf(vault, secret, signal);
  if (isFailure(seen)) return seen;
  if (seen.current.tags['rotator'] === undefined) return { kind: 'opted-out' };
  if (changedTags(seen.current, change) === undefined) {
    return { kind: 'changed', current: seen.current, before: readRequested(seen.current.tags) };
  }
  const acquired = await acquirePatiently(deps, vault, secret, signal);
  if (acquired.kind !== 'held') return acquired;
  const { lease } = acquired;
  try {
    const within = AbortSignal.timeout(Math.max(1, Math.floor(lease.remainingMs() - leaseMarginMs)));
    return await changeHeld(vault, secret, change, AbortSignal.any([signal, within]));
  } finally {
    await lease.release();
  }
}

async function changeHeld(
  vault: Vault,
  secret: string,
  change: (requested: Requested) => Requested,
  signal: AbortSignal,
): Promise<Changed> {
  const seen = await newestOf(vault, secret, signal);
  if (isFailure(seen)) return seen;
  const { current } = seen;
  if (current.tags['rotator'] === undefined) return { kind: 'opted-out' };
  const before = readRequested(current.tags);
  const tags = changedTags(current, change);
  if (tags === undefined) return { kind: 'changed', current, before };
  const written = await vault.change(secret, current.version, { tags }, { signal });
  return isFailure(written) ? written : { kind: 'changed', current, before };
}

/** Undefined where they stay as they are. */
function changedTags({ tags }: Current, change: (requested: Requested) => Requested) {
  const changed = withRequested(tags, change(readRequested(tags)));
  return changed['requested'] === tags['requested'] ? undefined : changed;
}

async function newestOf(vault: Vault, secret: string, signal: AbortSignal) {
  const listed = await vault.versions(secret, { signal });
  if (isFailure(listed)) return listed;
  const [current] = listed.versions;
  return current === undefined
    ? failure('secret-missing', { secret, vault: vault.name })
    : { kind: 'newest' as const, current };
}

/** The lease, once whoever is at the secret has given it back; most rotations are done by then. */
export async function acquirePatiently(
  { engine }: Deps,
  vault: Vault,
  secret: string,
  signal: AbortSignal,
): Promise<{ readonly kind: 'held'; readonly lease: Lease } | { readonly kind: 'busy' } | Failure> {
  const until = engine.elapsedMs() + patienceMs;
  for (;;) {
    const acquired = await engine.leases.acquire(vault.name, secret);
    if (acquired.kind !== 'busy' || engine.elapsedMs() >= until || signal.aborted) return acquired;
    await engine.wait(lookAgainMs, signal);
  }
}

/** What a person did with a secret, for the history: its automatic work was paused, or goes on, or its tags were changed. */
export async function recordPause(
  deps: { readonly history: History; readonly log: Log; readonly now: () => Date },
  about: { readonly vault: string; readonly secret: string; readonly requestedBy: string; readonly reason: string },
  outcome: 'paused' | 'resumed' | 'tagged',
  detail: string,
): Promise<void> {
  const at = deps.now();
  const { secret } = about;
  const record = { ...about, rotationId: '', activity: 'rotation' as const, startedAt: at, endedAt: at, steps: [] };
  const kept = await deps.history.record({ ...record, outcome, detail });
  if (isFailure(kept)) deps.log.warn('history-not-kept', { secret, code: kept.code });
}
