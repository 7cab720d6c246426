/** Which secrets hold one login, told from those that only name it: for a look that changes nothing. */
import type { SecretPlace } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import { ask } from '../running/ask.ts';
import { prepare } from '../running/target.ts';
import type { Published, SharingWork } from './find.ts';
import { thatLogIn } from './refuse.ts';

export interface Sharing {
  /** Those whose value logs in. */
  readonly others: readonly SecretPlace[];
  /** Whether the secret itself logs in, and so is in the way of the others. */
  readonly ownLogsIn: boolean;
}

/** Longest time for the logins of one secret, in ms. */
const lookMs = 30_000;

/**
 * Tries the credentials of secrets with the same fingerprint. Where the target cannot be asked now, all of them count. The secret's own is
 * tried first: where it is a wrong password, a right one follows, which ends the target's count of failed logins.
 */
export async function provenSharing(
  { deps, vault, signal }: SharingWork,
  { current }: Published,
  others: readonly SecretPlace[],
): Promise<Sharing> {
  const unknown = { others, ownLogsIn: true };
  if (others.length === 0) return unknown;
  const target = await prepare(deps, vault, current, { rotationId: '', emergency: false }, signal);
  if (isFailure(target)) return unknown;
  const time = { signal, remainingMs: () => lookMs };
  const own = await ask(current, target, target.credential, time);
  if (isFailure(own)) return unknown;
  const looked = await thatLogIn({ deps, vault, current, target }, others, time);
  return { others: isFailure(looked) ? others : looked.others, ownLogsIn: own.accepted };
}
