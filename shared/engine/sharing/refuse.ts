/** A credential that another secret publishes too is left as it is: whatever is changed for the one is taken from the other. */
import { credentialName } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import type { SecretPlace } from '../../contract/state.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { ask } from '../running/ask.ts';
import type { StepTime } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import type { Target } from '../running/target.ts';
import { fillIndexes, findSharing, keepPublished, publishedBy } from './find.ts';
import { heldAt } from './held.ts';
import { mayShare } from './prints.ts';

interface Work {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly current: Current;
  readonly target: Target;
}

interface Alone {
  readonly kind: 'alone';
}

/**
 * Refuses what another managed secret of any vault publishes too, and logs in with. First the secret's own fingerprints are kept and then the others looked
 * for, so that of two that begin at once at least one sees the other. Changes nothing in a vault or at a target.
 */
export async function refuseShared({ deps, vault, current, target }: Work, time: StepTime): Promise<Alone | Failure> {
  if (!mayShare(current.policy)) return { kind: 'alone' };
  const published = publishedBy(current, target);
  if (published.prints.length === 0) return { kind: 'alone' };
  const { signal } = time;
  const before = await Promise.all([keepPublished({ deps, vault }, published), fillIndexes({ deps, signal })]);
  const undone = before.find(isFailure);
  if (undone !== undefined) return undone;
  const found = await findSharing({ deps, vault, signal }, published);
  if (isFailure(found)) return found;
  const sharing = await thatLogIn({ deps, vault, current, target }, found.others, time);
  if (isFailure(sharing)) return sharing;
  return sharing.others.length === 0 ? { kind: 'alone' } : sharedFailure(current, target, sharing.others);
}

/** Refusals in a row after which nobody is asked about the login any more: it might be locked. */
const mostRefused = 2;

/**
 * Whoever may edit one secret can name any login in it, and must not stop the rotations of others by that, nor keep a credential that leaked
 * alive: only those count that hold something that logs in. What does not can be taken from nobody. After a refusal the
 * secret's own credential is tried, as a login that succeeds ends a target's count of failed ones; where that is refused too, those that are
 * left count without being asked.
 */
export async function thatLogIn(
  { deps, current, target }: Work,
  others: readonly SecretPlace[],
  time: StepTime,
): Promise<{ readonly kind: 'looked'; readonly others: readonly SecretPlace[] } | Failure> {
  const proven: SecretPlace[] = [];
  let refused = 0;
  for (const place of others) {
    const held = await heldAt(deps, place, time.signal);
    if (isFailure(held)) return held;
    for (const credential of held.credentials) {
      const answer = refused < mostRefused ? await ask(current, target, credential, time) : unasked;
      if (isFailure(answer) && answer.class === 'retry') return answer;
      if (isFailure(answer)) continue;
      if (answer.accepted) {
        proven.push(place);
        break;
      }
      const own = await ask(current, target, target.credential, time);
      refused = !isFailure(own) && own.accepted ? 0 : refused + 1;
    }
  }
  return { kind: 'looked', others: proven };
}

/** As if it logged in: nothing is changed for it then. */
const unasked = { kind: 'answer', accepted: true } as const;

/** As a message names others: by name alone where they are in the same vault. Pure. */
export function namesOfOthers(vault: string, others: readonly SecretPlace[]): readonly string[] {
  return others
    .map((one) => (one.vault.toLowerCase() === vault.toLowerCase() ? one.secret : `${one.vault}/${one.secret}`))
    .sort();
}

export function sharedFailure(
  { secret }: Pick<Current, 'secret'>,
  { credential }: Pick<Target, 'credential'>,
  others: readonly SecretPlace[],
): Failure {
  // In full, so that whoever answers somebody can leave out what that one may not see.
  const names = others
    .map((one) => `${one.vault}/${one.secret}`)
    .sort()
    .join(', ');
  return failure('login-shared', { secret: secret.name, login: credentialName(credential), others: names });
}

/**
 * The second login of a pair that nobody retired for this secret, and that somebody is on: it is another application's. What an overlap
 * left behind is not asked about, nor anything in an emergency.
 */
export async function refuseUsed({ current, target }: Work, time: StepTime): Promise<Alone | Failure> {
  const { policy, stamp, secret } = current;
  if (!strategyTraits[policy.strategy].perLogin || stamp?.retireBy !== undefined) return { kind: 'alone' };
  const step = target.stepFor(time);
  const next = target.rotator.propose(step, target.credential);
  if ('kind' in next || next.username === target.credential.username) return { kind: 'alone' };
  const use = await target.rotator.inUse(step, next);
  if (use.kind !== 'in-use') return { kind: 'alone' };
  const others = `${use.sessions} open ${use.sessions === 1 ? 'session' : 'sessions'} (${use.by.slice(0, 5).join(', ')})`;
  return failure('login-shared', { secret: secret.name, login: credentialName(next), others });
}
