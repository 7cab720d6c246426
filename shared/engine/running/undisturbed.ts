/** Whether a refusal that was seen without the lease of a secret counts under it, without another login. */
import type { Vault } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { pendingNameOf } from '../policy/identifiers.ts';

/** Longest time for which an attempt may have been at work after it stored its candidate, in ms. */
const longestAttemptMs = 15 * 60_000;

/**
 * Asked by whoever holds the lease. `seen` is what was refused before, `now` what is current. Another version is another credential; and a
 * rotation in place replaces the password before it publishes the new one, and may have put the old one back since: then the stored candidate
 * tells that somebody was at work. Otherwise the same login would be refused once more, and servers that lock accounts count that.
 */
export async function wasUndisturbed(
  vault: Vault,
  seen: Current,
  now: Current,
  signal: AbortSignal,
): Promise<{ readonly kind: 'looked'; readonly undisturbed: boolean } | Failure> {
  const looked = (undisturbed: boolean) => ({ kind: 'looked' as const, undisturbed });
  if (seen.secret.version !== now.secret.version) return looked(false);
  if (strategyTraits[now.policy.strategy].pending !== 'before-apply') return looked(true);
  const listed = await vault.versions(pendingNameOf(now.secret.name), { signal });
  if (isFailure(listed)) return listed.code === 'secret-missing' ? looked(true) : listed;
  const touchedMs = Math.max(...listed.versions.map(({ updatedAt }) => updatedAt.getTime()));
  return looked(touchedMs < seen.secret.readAt.getTime() - longestAttemptMs);
}
