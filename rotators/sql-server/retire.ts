/** Making the server refuse the old credential. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { RetireOutcome, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { isFailure } from '../../shared/errors.ts';
import { type Account, bareName, findAccount, findPrincipal, passwordStatement } from './accounts.ts';
import { unsafeLogin } from './apply.ts';
import { adminPlace, asAdmin, loginOf, type SqlStep } from './connect.ts';
import { rightNamed } from './fault.ts';
import { quoteName } from './quote.ts';
import type { Server } from './server.ts';
import { endSessions, liveSessions, sessionPermission } from './sessions.ts';

/**
 * A login is disabled; a contained user, which cannot be, gets a password nobody keeps. With one login for both credentials the old
 * password died when it was replaced. In an emergency the sessions are ended too.
 */
export async function retire(
  step: SqlStep,
  previous: Credential,
  environment: RotatorEnvironment,
): Promise<RetireOutcome> {
  const login = loginOf(step, previous);
  if (isFailure(login)) return login;
  const name = bareName(login.name, step.endpoint);
  const secrets = [previous.password, step.current.password];
  const work = async (server: Server): Promise<RetireOutcome> => {
    // One login for both: its old password is gone, and there is nothing to look up that a login without rights might not see.
    if (previous.username === step.current.username && !step.emergency) return { kind: 'retired', sessionsEnded: 0 };
    const account = await findAccount(server, name, step.endpoint);
    const principal = await findPrincipal(server, account, name);
    if (principal === undefined) return { kind: 'retired', sessionsEnded: 0 };
    if (!(await isPublished(server, step, account, principal.sid))) {
      const unsafe = await unsafeLogin(server, { step, account, place: adminPlace(step) }, principal);
      if (unsafe !== undefined) return unsafe;
      await server.change(account.home, closingStatement(step, account, principal.name));
    }
    if (!step.emergency) return { kind: 'retired', sessionsEnded: 0 };
    const database = step.endpoint.database ?? server.database;
    const sessions = await rightNamed(sessionPermission(server), () =>
      liveSessions(server, account, principal, database),
    );
    const killing = server.azure ? 'KILL DATABASE CONNECTION' : 'ALTER ANY CONNECTION';
    const ended = await rightNamed(killing, () => endSessions(server, account, sessions, database));
    return { kind: 'retired', sessionsEnded: ended };
  };
  const place = { login: name, permission: 'ALTER ANY LOGIN or ALTER ANY USER' };
  return asAdmin(step, step.current, environment, secrets, work, place);
}

/** Whether the account is the one that is published now: it must never be closed. */
async function isPublished(server: Server, step: SqlStep, account: Account, sid: Buffer): Promise<boolean> {
  const current = bareName(step.current.username ?? '', step.endpoint);
  const published = await findPrincipal(server, account, current);
  return published?.sid.equals(sid) === true;
}

function closingStatement(step: SqlStep, account: Account, name: string): string {
  if (account.kind === 'login') return `ALTER LOGIN ${quoteName(name)} DISABLE;`;
  return passwordStatement(account, name, step.newPassword().reveal());
}
