/**
 * A version that Keyturn did not make: does its credential log in?
 *
 *   look → lease → look again → what is unfinished goes on → (refused: was it written back?) → release
 *
 * A refusal counts only under the lease of everything else: in the middle of a rotation in place it says nothing about the version. It is
 * asked for once more only where somebody was at work meanwhile, because servers that lock accounts count failed logins.
 */
import type { Credential } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { type Current, readCurrent } from '../policy/current.ts';
import type { Listed } from '../policy/origin.ts';
import type { Policy } from '../policy/policy.ts';
import { isPaused, readRequested } from '../policy/requested.ts';
import { ask } from '../running/ask.ts';
import type { Attempt, StepTime } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import type { Attempted, Failed, Skipped } from '../running/result.ts';
import { prepare } from '../running/target.ts';
import { underLease } from '../running/under-lease.ts';
import { wasUndisturbed } from '../running/undisturbed.ts';
import { keepPublished, publishedBy } from '../sharing/find.ts';
import { mayShare } from '../sharing/prints.ts';
import { goOn, hasUnfinished } from './go-on.ts';
import { findWrittenBack, type WrittenBack } from './written-back.ts';

/** Its credential logs in: it is the current one from now on. */
export interface Adopted extends Attempted {
  readonly kind: 'adopted';
  readonly version: string;
  /** It has copies, and not every one of them is known to hold what it holds. */
  readonly copiesDue?: boolean;
}

/** The target answered and said no, or the value holds no credential that could be tried. */
export interface Refused extends Attempted {
  readonly kind: 'refused';
  readonly version: string;
  readonly detail: string;
  /** Earlier versions with the same credential. */
  readonly writtenBack: WrittenBack;
  readonly onForeignVersion: Policy['onForeignVersion'];
}

export type ArrivalResult = Adopted | Refused | Skipped | Failed;

export interface Arrival {
  readonly vault: string;
  readonly secret: string;
  readonly version: string;
  /** All versions of the secret, newest first. */
  readonly versions: readonly Listed[];
  /** The one that it replaced. */
  readonly before: Listed | undefined;
}

/**
 * Proves one version by a login. May be called again. Changes nothing at the target, and only the tags of the version in the vault.
 *
 * A version that logs in and leaves nothing to go on with takes no lease: a rotation that begins meanwhile would find it busy, and come back
 * much later.
 */
export async function prove(deps: EngineDependencies, arrival: Arrival, signal: AbortSignal): Promise<ArrivalResult> {
  const vault = deps.vaults.get(arrival.vault.toLowerCase());
  let refusedBefore: Looked | undefined;
  if (vault !== undefined) {
    const { secret, version, before } = arrival;
    const about = { rotationId: '', vault: vault.name, secret, steps: [] };
    const seen = await look({ deps, vault, arrival }, { signal, remainingMs: () => lookMs });
    if (seen.kind === 'looked' && seen.accepted && !hasUnfinished(seen.current, before))
      return { ...about, kind: 'adopted', version };
    if (seen.kind === 'left') return { ...about, kind: 'skipped', reason: seen.reason, detail: seen.detail };
    if (isFailure(seen)) return { ...about, kind: 'failed', failure: seen };
    if (!seen.accepted) refusedBefore = seen;
  }
  return underLease<Adopted | Refused | Skipped>(deps, arrival, (held, attempt) =>
    proveUnderLease({ deps, vault: held, attempt, arrival, refusedBefore }),
  );
}

/** Longest time of a look without a lease, in ms. */
const lookMs = 30_000;

interface Looked {
  readonly kind: 'looked';
  readonly current: Current;
  /** Absent where the value holds none that can be read. */
  readonly credential?: Credential;
  readonly accepted: boolean;
  readonly detail: string;
}

interface Left {
  readonly kind: 'left';
  readonly reason: 'opted-out' | 'superseded' | 'copy';
  readonly detail: string;
}

interface Looking {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly arrival: Arrival;
  /** Seen without the lease that is held now. */
  readonly refusedBefore?: Looked | undefined;
}

/** Asks the target about the version, if it is current. */
async function look(
  { deps, vault, arrival: { secret, version }, refusedBefore }: Looking,
  time: StepTime,
): Promise<Looked | Left | Failure> {
  const current = await readCurrent(deps, vault, secret, time.signal);
  if (isFailure(current)) return current;
  if (current.kind === 'opted-out') return { kind: 'left', reason: 'opted-out', detail: 'it has no tag "rotator"' };
  if (current.kind === 'linked') return { kind: 'left', reason: 'copy', detail: 'it is renewed with its source' };
  if (current.secret.version !== version)
    return { kind: 'left', reason: 'superseded', detail: `version ${version} is no longer current` };
  const target = await prepare(deps, vault, current, { rotationId: '', emergency: false }, time.signal);
  if (isFailure(target)) {
    const isUnreadable = target.code === 'value-unreadable';
    return isUnreadable ? { kind: 'looked', current, accepted: false, detail: target.message } : target;
  }
  const { credential } = target;
  // Whoever rotates another secret of this login from now on finds it.
  const published = publishedBy(current, target);
  const kept = mayShare(current.policy) ? await keepPublished({ deps, vault }, published) : undefined;
  if (kept !== undefined && isFailure(kept)) return kept;
  const before =
    refusedBefore === undefined ? undefined : await wasUndisturbed(vault, refusedBefore.current, current, time.signal);
  if (before !== undefined && isFailure(before)) return before;
  const counts = before?.undisturbed === true ? refusedBefore : undefined;
  const answer = counts ?? (await ask(current, target, credential, time));
  if (isFailure(answer)) return answer;
  return { kind: 'looked', current, credential, accepted: answer.accepted, detail: answer.detail };
}

interface Work extends Looking {
  readonly attempt: Attempt;
}

async function proveUnderLease(work: Work): Promise<Adopted | Refused | Skipped | Failure> {
  const { vault, attempt, arrival } = work;
  const seen = await attempt.step('prove', (time) => look(work, time));
  if (isFailure(seen)) return seen;
  if (seen.kind === 'left')
    return { ...attempt.about, kind: 'skipped', reason: seen.reason, detail: seen.detail, steps: attempt.steps };
  const { current, credential, accepted, detail } = seen;
  attempt.tellTo(current.policy.notify);
  const { before, version, versions } = arrival;
  const gone = await attempt.step('go on', ({ signal }) =>
    goOn(vault, current, credential, { before, accepted }, signal),
  );
  if (isFailure(gone)) return gone;
  if (accepted) {
    const copiesDue = current.policy.also.length > 0;
    return { ...attempt.about, kind: 'adopted', version, copiesDue, steps: attempt.steps };
  }
  if (credential === undefined) return refused(work, current, detail, { kind: 'looked', versions: [] });
  const found = await attempt.step('look back', ({ signal }) =>
    findWrittenBack(vault, current, credential, versions, signal),
  );
  return isFailure(found) ? found : refused(work, current, detail, found);
}

function refused(
  { attempt, arrival }: Work,
  { policy, requested, secret: { readAt } }: Current,
  detail: string,
  writtenBack: WrittenBack,
): Refused {
  const { version, before } = arrival;
  // A person wants no automatic work on it; the new version may not say so yet.
  const isHeld = isPaused(requested, readAt) || isPaused(readRequested(before?.tags ?? {}), readAt);
  const onForeignVersion = isHeld ? 'report' : policy.onForeignVersion;
  return { ...attempt.about, kind: 'refused', version, detail, writtenBack, onForeignVersion, steps: attempt.steps };
}
