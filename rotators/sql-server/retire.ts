/** Making the server refuse the old credential. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { RetireOutcome, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { type Failure, failure, isFailure } from '../../shared/errors.ts';
import { type Account, bareName, identify, type Principal, passwordStatement } from './accounts.ts';
import { adminPlace, asAdmin, loginOf, type SqlStep } from './connect.ts';
import { comesTo, flushLogins } from './copies.ts';
import { rightNamed, SqlFault } from './fault.ts';
import { anyPassword } from './password-rules.ts';
import { quoteName } from './quote.ts';
import type { Server } from './server.ts';
import { readServer } from './server-catalogue.ts';
import { type Ended, endSessions, liveSessions } from './sessions.ts';
import { unsafeLogin, type Work } from './work.ts';

/**
 * A login is disabled; a contained user, which cannot be, gets a password nobody keeps. With one login for both credentials the old
 * password died when it was replaced. Sessions go on, on SQL Server without end; in an emergency they are ended too.
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
    const published = bareName(step.current.username ?? '', step.endpoint);
    const { account, pair } = await identify(server, name, published, step.endpoint);
    const [principal, current] = pair;
    const at = { step, live: step.current, account, place: adminPlace(step), environment };
    if (principal === undefined) return { kind: 'retired', sessionsEnded: 0 };
    // The account that is published now must never be closed.
    if (current?.sid.equals(principal.sid) === true) {
      return step.emergency ? endAll(server, at, principal) : { kind: 'retired', sessionsEnded: 0 };
    }
    const closed = await close(server, at, principal, previous);
    if (closed !== undefined) return closed;
    return step.emergency ? endAll(server, at, principal) : goingOn(server, at, principal);
  };
  const place = { login: name, permission: 'ALTER ANY LOGIN or ALTER ANY USER' };
  return asAdmin(step, step.current, environment, secrets, work, place);
}

/** Undefined when it is closed. */
async function close(
  server: Server,
  at: Work,
  principal: Principal,
  previous: Credential,
): Promise<Failure | undefined> {
  const { step, account, environment } = at;
  const unsafe = await unsafeLogin(server, at, principal);
  if (unsafe !== undefined) return unsafe;
  const statement = closingStatement(step, account, principal.name);
  await server.change(account.home, [statement], { aboutLogins: account.kind === 'login' });
  const database = step.endpoint.database ?? server.database;
  if (await flushLogins(server, account, database)) return undefined;
  if (await comesTo(step, previous, environment, 'refused')) return undefined;
  const detail = `${principal.name} is disabled, and ${database} still accepts it by its copy of the logins, which Azure renews by itself. To have it do so now, run DBCC FLUSHAUTHCACHE in ${database}, or grant KILL DATABASE CONNECTION there to the admin.`;
  return failure('target-busy', { secret: step.secret, target: at.place.target, detail });
}

function closingStatement(step: SqlStep, account: Account, name: string): string {
  if (account.kind === 'login') return `ALTER LOGIN ${quoteName(name)} DISABLE;`;
  return passwordStatement(account, name, anyPassword(step).reveal());
}

/** Neither a disabled login nor a new password ends a session. Where they cannot be seen, nobody can say how many go on. */
async function goingOn(server: Server, { step, account }: Work, principal: Principal): Promise<RetireOutcome> {
  const database = step.endpoint.database ?? server.database;
  try {
    const sessionsGoOn = (await liveSessions(server, account, principal, database)).filter(({ ours }) => !ours).length;
    return { kind: 'retired', sessionsEnded: 0, ...(sessionsGoOn === 0 ? {} : { sessionsGoOn }) };
  } catch (error) {
    if (error instanceof SqlFault && (error.kind === 'forbidden' || error.kind === 'rejected')) {
      return { kind: 'retired', sessionsEnded: 0 };
    }
    throw error;
  }
}

/** Ends every session of the account. The credential is refused already, so nobody comes back. */
async function endAll(server: Server, { step, account, place }: Work, principal: Principal): Promise<RetireOutcome> {
  const database = step.endpoint.database ?? server.database;
  const killing = server.azure ? 'KILL DATABASE CONNECTION' : 'ALTER ANY CONNECTION';
  const end = (where: string): Promise<Ended> =>
    rightNamed(killing, () => endSessions(server, account, principal, where, step));
  const first = await end(database);
  const others = await Promise.all(
    (await otherDatabases(server, account, principal, database)).map((where) => tolerated(() => end(where))),
  );
  const all = [first, ...others];
  const ended = all.reduce((sum, one) => sum + one.ended, 0);
  const left = all.reduce((sum, one) => sum + one.left, 0);
  if (left === 0) return { kind: 'retired', sessionsEnded: ended };
  const fix = `${ended} were ended, and the server has been told to end the others; one that undoes its work takes its time.`;
  const detail = `${left} of ${principal.name} are still there`;
  const at = { secret: step.secret, target: place.target, login: principal.name, detail };
  return failure('sessions-open', { ...at, sessions: left, fix });
}

/** On Azure SQL Database sessions are seen and ended from the database they are in, so all are gone through, with their copies of logins. */
async function otherDatabases(
  server: Server,
  account: Account,
  principal: Principal,
  database: string,
): Promise<readonly string[]> {
  if (!server.azure || account.kind !== 'login') return [];
  const { databases } = await readServer(server, [principal]);
  const names = databases.filter(({ state }) => state === 0).map(({ name }) => name);
  const others = names.filter((name) => name.toLowerCase() !== database.toLowerCase());
  await Promise.all(others.map((name) => flushLogins(server, account, name)));
  return others;
}

/** A database that the admin may not enter, or not look into, is no reason to leave the sessions elsewhere alone. */
async function tolerated(work: () => Promise<Ended>): Promise<Ended> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SqlFault && ['missing', 'refused', 'forbidden'].includes(error.kind))
      return { ended: 0, left: 0 };
    throw error;
  }
}
