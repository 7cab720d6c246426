/** Going back to an earlier version: its credential takes the place of a proposed one, and the steps are those of any rotation. */
import type { Vault } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { ask } from '../running/ask.ts';
import type { StepTime } from '../running/attempt.ts';
import { readEarlier } from '../running/previous.ts';
import type { Target } from '../running/target.ts';
import type { Found } from './probe.ts';

/**
 * Finds the credential to go back to. Where it still logs in there is nothing to apply; where it does not, the target is made to accept
 * it again if it takes credentials that we choose. It is never published unproven. Changes nothing at the target.
 */
export async function probeEarlier(
  vault: Vault,
  current: Current,
  target: Target,
  to: string | undefined,
  time: StepTime,
): Promise<Found | Failure> {
  const { secret, stamp, policy } = current;
  const version = to ?? stamp?.from;
  const impossible = (detail: string): Failure => failure('roll-back-impossible', { secret: secret.name, detail });
  if (version === undefined) return impossible('there is no version before the current one that Keyturn knows of');
  if (version === secret.version) return impossible(`version ${version} is the current one`);
  const earlier = await readEarlier(vault, current, version, time.signal);
  if (isFailure(earlier)) return earlier;
  if (earlier.kind === 'missing') return impossible(`there is no version ${version}`);
  const answer = await ask(current, target, earlier.credential, time);
  if (isFailure(answer)) return answer;
  const found = { kind: 'found' as const, fixed: true, live: target.credential };
  if (answer.accepted) return { ...found, applied: earlier.credential, live: earlier.credential };
  if (strategyTraits[policy.strategy].chosen) return { ...found, stored: earlier.credential };
  return impossible(`the credential of version ${version} is dead, and the provider does not take one that we choose`);
}
