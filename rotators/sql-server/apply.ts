/** Making the server accept the candidate. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { ApplyOutcome, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { type Failure, isFailure } from '../../shared/errors.ts';
import { bareName, findAccount, identify, mayBeLocked, type Principal, passwordStatement } from './accounts.ts';
import { adminPlace, asAdmin, mayBeAzure, type SqlStep } from './connect.ts';
import { flushLogins } from './copies.ts';
import { enabling, prepare } from './prepare.ts';
import type { Server } from './server.ts';
import { changePermission, notReplicated, unknownAccount, unsafeLogin, type Work } from './work.ts';

/** Replaces the password in place; as a compare-and-swap when the login changes its own. */
export async function applySingle(
  step: SqlStep,
  candidate: Credential,
  live: Credential,
  environment: RotatorEnvironment,
): Promise<ApplyOutcome> {
  // What logs in now is what was to be made to: an attempt before this one got that far. A database of Azure SQL Database may go by an
  // old copy of the login, so there the password is set again.
  const done = live.username === candidate.username && live.password.equals(candidate.password);
  const believed = step.admin.kind === 'self' || !mayBeAzure(step.endpoint);
  if (done && believed && !step.signal.aborted) return { kind: 'applied', credential: candidate };
  const name = bareName(candidate.username ?? '', step.endpoint);
  const secrets = [candidate.password, live.password, step.current.password];
  const work = async (server: Server): Promise<ApplyOutcome> => {
    const isOwn = step.admin.kind === 'self';
    // A login that changes itself needs no look at the logins of the server.
    const { account, pair } = isOwn
      ? { account: await findAccount(server, name, step.endpoint), pair: [] }
      : await identify(server, name, name, step.endpoint);
    const at: Work = { step, live, account, place: adminPlace(step), environment };
    const allowed = await mayReplace(server, at, name, pair[0]);
    if (isFailure(allowed)) return allowed;
    const about = isOwn ? { old: live.password.reveal() } : { unlock: allowed.unlock };
    const statement = passwordStatement(account, name, candidate.password.reveal(), about);
    await server.change(account.home, [statement], { aboutLogins: account.kind === 'login' });
    await flushLogins(server, account, step.endpoint.database ?? server.database);
    return { kind: 'applied', credential: candidate };
  };
  return asAdmin(step, live, environment, secrets, work, {
    login: name,
    permission: 'ALTER ANY LOGIN or ALTER ANY USER',
  });
}

async function mayReplace(
  server: Server,
  at: Work,
  name: string,
  principal: Principal | undefined,
): Promise<{ readonly kind: 'allowed'; readonly unlock: boolean } | Failure> {
  const { step, account } = at;
  const replicated = await notReplicated(server, at, [step.endpoint.database ?? server.database]);
  if (replicated !== undefined) return replicated;
  if (step.admin.kind === 'self') return { kind: 'allowed', unlock: false };
  if (principal === undefined) return unknownAccount(at, name);
  const unsafe = await unsafeLogin(server, at, principal);
  if (unsafe !== undefined) return unsafe;
  return { kind: 'allowed', unlock: account.kind === 'login' && mayBeLocked(server, principal) };
}

/** Gives the idle login of the pair the new password; the live one is only read. */
export async function applyAlternating(
  step: SqlStep,
  candidate: Credential,
  live: Credential,
  environment: RotatorEnvironment,
): Promise<ApplyOutcome> {
  const liveName = bareName(step.current.username ?? '', step.endpoint);
  const name = bareName(candidate.username ?? '', step.endpoint);
  const secrets = [candidate.password, live.password, step.current.password];
  const work = async (server: Server): Promise<ApplyOutcome> => {
    const { account, pair } = await identify(server, liveName, name, step.endpoint);
    const place = { ...adminPlace(step), permission: changePermission(account.kind) };
    const at: Work = { step, live, account, place, environment };
    const [current, other] = pair;
    if (current === undefined) return unknownAccount(at, liveName);
    const prepared = await prepare(server, at, { live: current, other, name });
    if (isFailure(prepared)) return prepared;
    const about = { unlock: other !== undefined && mayBeLocked(server, other) };
    const password = passwordStatement(account, name, candidate.password.reveal(), about);
    // Enabled last: until the candidate's password is set, the one before would come back to life.
    await server.change(account.home, [password, ...enabling(account, name)], {
      aboutLogins: account.kind === 'login',
    });
    await flushLogins(server, account, step.endpoint.database ?? server.database);
    const { warnings } = prepared;
    return { kind: 'applied', credential: candidate, ...(warnings.length === 0 ? {} : { warnings }) };
  };
  return asAdmin(step, live, environment, secrets, work, {
    login: name,
    permission: 'ALTER ANY LOGIN or ALTER ANY USER',
  });
}
