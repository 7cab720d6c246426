/** The second login of a pair: whether it can be made ready, as the rotation would do it. */
import type { RotatorCheck } from '../../shared/contract/rotator.ts';
import { adminName } from '../common/failures.ts';
import { failed, passed } from './check-lines.ts';
import { type Call, failureOf } from './connect.ts';
import type { Grant } from './grants.ts';
import { missingFor, type Pair, readPairs, whyNotSafe } from './pair.ts';
import { accountName } from './quote.ts';
import { mayGive } from './rights.ts';
import type { Session } from './session.ts';

/** `own`: what the admin may do. */
export async function checkPairs(
  call: Call,
  session: Session,
  own: readonly Grant[],
  login: string,
): Promise<readonly RotatorCheck[]> {
  const read = await readPairs(call, session, login, { known: [call.step.current] });
  if (read.kind === 'fault') return [failed('second login', failureOf(call, read))];
  return read.pairs.flatMap((pair) => checkPair(call, session, own, pair));
}

function checkPair(call: Call, session: Session, own: readonly Grant[], pair: Pair): readonly RotatorCheck[] {
  const { step } = call;
  const unsafe = whyNotSafe(pair, session);
  if (unsafe !== undefined) {
    const fix = `Choose another second login with the tag "users" of ${step.secret}.`;
    return [{ name: 'second login', state: 'failed', detail: unsafe, fix }];
  }
  const name = accountName(pair.other);
  const missing = missingFor(pair);
  if (pair.idle === undefined)
    return [passed('second login', `${name} will be created`), grantable(call, own, missing)];
  if (missing.length === 0) return [passed('second login', `${name} may do what the login in use may`)];
  if (pair.idle.state.locked) {
    return [passed('second login', `${name} is given what it lacks`), grantable(call, own, missing)];
  }
  const fix = `Grant to ${name}: ${missing.join('; ')}.`;
  return [{ name: 'second login', state: 'failed', detail: `${name} lacks ${missing.join('; ')}`, fix }];
}

function grantable(call: Call, own: readonly Grant[], rights: readonly string[]): RotatorCheck {
  const beyond = rights.filter((right) => !mayGive(own, right));
  if (beyond.length === 0) return passed('permissions', 'the admin may pass on what the second login needs');
  const detail = `the admin ${adminName(call.step)} may not pass on: ${beyond.join('; ')}`;
  const fix =
    'Grant them to the rotation admin WITH GRANT OPTION (roles: WITH ADMIN OPTION), or create the second login by hand.';
  return { name: 'permissions', state: 'failed', detail, fix };
}
