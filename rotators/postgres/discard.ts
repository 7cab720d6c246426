/** Removes the login of a rehearsal. */
import { type Failure, failure } from '../../shared/errors.ts';
import { twinLogin } from '../common/twin.ts';
import { adminAccess, type Work } from './connect.ts';
import { adminFailure } from './fault.ts';
import { readLogins } from './logins.ts';
import { quoteName } from './quote.ts';
import { withSession } from './session.ts';

/** It owns nothing, since each of its sessions starts as the login in use, so dropping it is enough. */
export async function discard(work: Work): Promise<{ readonly kind: 'discarded' } | Failure> {
  const login = twinLogin(work.step);
  if (login === work.step.current.username) {
    const detail = 'it is the login in use';
    return failure('login-not-safe', { secret: work.step.secret, target: work.step.endpoint.host, login, detail });
  }
  const access = await adminAccess(work);
  if (access.kind === 'failed') return access;
  const outcome = await withSession(access.opening, async (session) => {
    const logins = await readLogins(session, [login]);
    if (logins.has(login)) await session.change([`DROP ROLE ${quoteName(login)}`]);
    return { kind: 'discarded' as const };
  });
  if (outcome.kind === 'done') return outcome.result;
  const permission = 'CREATEROLE and ADMIN OPTION on the login';
  return adminFailure(outcome.fault, { step: work.step, target: access.target, who: access.who, permission });
}
