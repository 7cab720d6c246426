/** What is looked at before a login is changed: whoever may edit one secret must not be able to have another login's password made for them. */

import type { Credential } from '../../shared/contract/credential.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { adminLogin, adminTarget, loginOpening, loginTarget, type Work } from './connect.ts';
import { lackingRights } from './grants.ts';
import { isPrivileged, type LoginFacts } from './logins.ts';
import { nameFault } from './quote.ts';
import { type Session, withSession } from './session.ts';

/** Refuses what can be refused by name alone, before anything is sent. */
export function objectionToName(work: Work, login: string | undefined): Failure | undefined {
  const { step } = work;
  const at = { secret: step.secret, target: adminTarget(step) };
  if (login === undefined) {
    return failure('value-unreadable', { secret: step.secret, detail: 'the value names no login' });
  }
  const fault = nameFault(login);
  if (fault !== undefined) {
    return failure('target-missing', { ...at, detail: `the name of the login ${fault}` });
  }
  if (login === adminLogin(step)) {
    const detail = 'it is the admin that does the rotating. Remove the tag "admin" to have it change its own password';
    return failure('login-not-safe', { ...at, login, detail });
  }
  return undefined;
}

/** Refuses a login that could not log in whatever its password. */
export function objectionToState(work: Work, login: LoginFacts): Failure | undefined {
  const at = { secret: work.step.secret, target: adminTarget(work.step) };
  const name = `"${login.name}"`;
  if (!login.mayLogIn) {
    return failure('target-refused', { ...at, detail: `${name} is NOLOGIN. Run ALTER ROLE ${name} LOGIN` });
  }
  if (login.isExpired) {
    const detail = `${name} was valid until ${login.validUntil}. Run ALTER ROLE ${name} VALID UNTIL 'infinity'`;
    return failure('target-refused', { ...at, detail });
  }
  return undefined;
}

/** Refuses the idle login when it may do more than the one in use, or less. */
export async function objectionToPair(
  work: Work,
  session: Session,
  pair: { readonly live: string; readonly idle: string },
): Promise<Failure | undefined> {
  const at = { secret: work.step.secret, target: adminTarget(work.step), login: pair.idle };
  const more = await lackingRights(session, pair.idle, pair.live);
  if (more.length > 0) {
    return failure('login-not-safe', { ...at, detail: `"${pair.live}" does not have ${more.join(', ')}` });
  }
  const less = await lackingRights(session, pair.live, pair.idle);
  if (less.length > 0) return failure('lesser-rights', { ...at, detail: `missing: ${less.join(', ')}` });
  return undefined;
}

/**
 * A privileged login is changed only for somebody who proves to hold its password: otherwise a value edited to name it would be turned
 * into a way in. Other logins are not asked twice.
 */
export async function objectionToPrivilege(
  work: Work,
  login: LoginFacts,
  live: Credential,
): Promise<Failure | undefined> {
  if (!isPrivileged(login)) return undefined;
  const proof = await withSession(loginOpening(work, live), async () => undefined);
  if (proof.kind === 'done') return undefined;
  return failure(
    'login-not-safe',
    {
      secret: work.step.secret,
      target: loginTarget(work.step),
      login: login.name,
      detail: `it is privileged (SUPERUSER, CREATEROLE, REPLICATION or BYPASSRLS), and the password in the vault does not log in: ${proof.fault.message}`,
    },
    proof.fault,
  );
}
