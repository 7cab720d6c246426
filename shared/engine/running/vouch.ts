/**
 * Which credentials a secret may speak for. A version vouches for the login that it names and for nobody else: whoever may edit one secret
 * may write any login into a version, and any stamp that leads to it.
 */
import { type Credential, credentialName } from '../../contract/credential.ts';
import type { Step } from '../../contract/rotator.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { pendingNameOf } from '../policy/identifiers.ts';
import type { Target } from './target.ts';

/**
 * Whether a credential of another version is of the published login or, where each credential has a login of its own, of the other login
 * of its pair as the rotator itself names it. Of a key it is the rotator that makes sure whose it is. Pure.
 */
export function vouchesFor({ rotator, credential: published }: Target, step: Step, other: Credential): boolean {
  const { ofLogin, perLogin } = strategyTraits[step.strategy];
  if (!ofLogin || other.username === published.username) return true;
  if (!perLogin) return false;
  const next = rotator.propose(step, published);
  return !('kind' in next) && next.username === other.username;
}

/** A stored candidate that names a login the secret does not vouch for: its value or its tags were written by somebody else. Pure. */
export function notItsCandidate({ secret: { name } }: Current, { credential }: Target, stored: Credential): Failure {
  const detail = `${pendingNameOf(name)} is of ${credentialName(stored)}, and the current version is of ${credentialName(credential)}`;
  return failure('pending-taken', { secret: name, detail });
}
