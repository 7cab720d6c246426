/** A stored candidate that holds what is to be revoked: a roll-back that stopped half-way would make it current. */

import type { Vault } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { ask } from '../running/ask.ts';
import type { Attempt } from '../running/attempt.ts';
import { closePending, readPending } from '../running/pending.ts';
import type { Earlier } from '../running/previous.ts';
import type { Target } from '../running/target.ts';

/**
 * Throws the candidate away, once the published credential certainly logs in: the target may have taken the candidate already. May be called
 * again; nothing where no such candidate is stored.
 */
export async function dropCandidate(
  { vault, attempt }: { readonly vault: Vault; readonly attempt: Attempt },
  current: Current,
  target: Target,
  leaked: readonly Earlier[],
): Promise<{ readonly kind: 'none' | 'dropped' } | Failure> {
  if (leaked.length === 0 || strategyTraits[current.policy.strategy].pending !== 'before-apply')
    return { kind: 'none' };
  const pending = await attempt.step('candidate', ({ signal }) => readPending(vault, current, signal));
  if (isFailure(pending)) return pending;
  if (pending.kind !== 'pending') return { kind: 'none' };
  const { credential: candidate, version } = pending;
  if (!leaked.some(({ credential }) => credential.password.equals(candidate.password))) return { kind: 'none' };
  const sure = await attempt.step('make sure', async (time) => {
    const answer = await ask(current, target, candidate, time);
    if (isFailure(answer)) return answer;
    const live = answer.accepted ? candidate : target.credential;
    return target.rotator.apply(target.stepFor(time), target.credential, live);
  });
  if (isFailure(sure)) return sure;
  const closed = await attempt.step('close pending', ({ signal }) =>
    closePending(vault, current.secret.name, version, signal),
  );
  return isFailure(closed) ? closed : { kind: 'dropped' };
}
