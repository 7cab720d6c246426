/** A credential that another secret publishes too is left as it is: whatever is changed for the one is taken from the other. */
import { type Credential, credentialName } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import type { SecretPlace } from '../../contract/state.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { ask } from '../running/ask.ts';
import type { StepTime } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import { readPending } from '../running/pending.ts';
import type { Target } from '../running/target.ts';
import { fillIndexes, findSharing, keepPublished, publishedBy, readPublished } from './find.ts';
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
 * Refuses what another managed secret of any vault publishes too. First the secret's own fingerprints are kept and then the others looked
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
  const isEmergency = target.stepFor(time).emergency;
  const sharing = isEmergency ? await thatLogIn({ deps, vault, current, target }, found.others, time) : found;
  if (isFailure(sharing)) return sharing;
  return sharing.others.length === 0 ? { kind: 'alone' } : sharedFailure(vault.name, current, target, sharing.others);
}

/**
 * Whoever may edit one secret can name any login in it, and must not keep a credential that leaked alive by that: in an emergency only those
 * count whose value, or stored candidate, logs in.
 */
async function thatLogIn(
  { deps, current, target }: Work,
  others: readonly SecretPlace[],
  time: StepTime,
): Promise<{ readonly kind: 'looked'; readonly others: readonly SecretPlace[] } | Failure> {
  const proven: SecretPlace[] = [];
  for (const place of others) {
    const held = await heldAt(deps, place, time);
    if (isFailure(held)) return held;
    for (const credential of held.credentials) {
      const answer = await ask(current, target, credential, time);
      if (isFailure(answer) && answer.class === 'retry') return answer;
      if (isFailure(answer) || !answer.accepted) continue;
      proven.push(place);
      break;
    }
  }
  return { kind: 'looked', others: proven };
}

async function heldAt(
  deps: EngineDependencies,
  { vault: name, secret }: SecretPlace,
  { signal }: StepTime,
): Promise<{ readonly kind: 'held'; readonly credentials: readonly Credential[] } | Failure> {
  const vault = deps.vaults.get(name.toLowerCase());
  if (vault === undefined) return { kind: 'held', credentials: [] };
  const published = await readPublished({ deps, vault, signal }, secret);
  if (isFailure(published)) return published;
  if (published.kind === 'none') return { kind: 'held', credentials: [] };
  const { current, credential } = published;
  const stored = await readPending(vault, current, signal);
  if (isFailure(stored) && stored.class === 'retry') return stored;
  return { kind: 'held', credentials: stored.kind === 'pending' ? [credential, stored.credential] : [credential] };
}

/** As a message names others: by name alone where they are in the same vault. Pure. */
export function namesOfOthers(vault: string, others: readonly SecretPlace[]): readonly string[] {
  return others
    .map((one) => (one.vault.toLowerCase() === vault.toLowerCase() ? one.secret : `${one.vault}/${one.secret}`))
    .sort();
}

export function sharedFailure(
  vault: string,
  { secret }: Pick<Current, 'secret'>,
  { credential }: Pick<Target, 'credential'>,
  others: readonly SecretPlace[],
): Failure {
  const names = namesOfOthers(vault, others).join(', ');
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
