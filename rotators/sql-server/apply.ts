/** Making the server accept the candidate. */
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import type { ApplyOutcome, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { type Failure, failure, isFailure } from '../../shared/errors.ts';
import {
  type Account,
  bareName,
  findAccount,
  findPrincipal,
  isTaken,
  master,
  type Principal,
  passwordStatement,
} from './accounts.ts';
import { adminPlace, asAdmin, type SqlStep } from './connect.ts';
import type { FaultPlace } from './fault.ts';
import { type Rights, readRights } from './grants.ts';
import { copyRights, createSecond, judge } from './pair.ts';
import { quoteName } from './quote.ts';
import type { Server } from './server.ts';

/** The right a change of this kind of account takes. */
export function changePermission(account: Account['kind']): string {
  return account === 'login' ? 'ALTER ANY LOGIN' : 'ALTER ANY USER';
}

interface Work {
  readonly step: SqlStep;
  readonly candidate: Credential;
  readonly account: Account;
  readonly place: FaultPlace;
}

function notSafe({ step, place }: Pick<Work, 'step' | 'place'>, login: string, detail: string): Failure {
  return failure('login-not-safe', { secret: step.secret, target: place.target, login, detail });
}

const memberRow = z.object({ member: z.number().nullable() });

/**
 * Refuses accounts that an ordinary secret must not lead to: whoever may edit the secret names the login, and with the admin's rights
 * would be handed any of them.
 */
export async function unsafeLogin(
  server: Server,
  about: Pick<Work, 'step' | 'place' | 'account'>,
  principal: Principal,
): Promise<Failure | undefined> {
  if (about.step.admin.kind === 'self') return undefined;
  if (server.ownSid?.equals(principal.sid)) return notSafe(about, principal.name, 'it is the admin itself.');
  if (about.account.kind !== 'login') return undefined;
  if (principal.id === 1) return notSafe(about, principal.name, 'it is the administrator of the server.');
  const query = `SELECT IS_SRVROLEMEMBER(N'sysadmin', @name) AS member`;
  const [row] = await server.rows(memberRow, master, query, { name: principal.name });
  if (row?.member !== 1) return undefined;
  return notSafe(about, principal.name, 'it is a sysadmin: let it change its own password (no tag "admin").');
}

function unknownAccount({ step, place, account }: Omit<Work, 'candidate'>, name: string): Failure {
  const detail =
    account.kind === 'login'
      ? `there is no login "${name}", or the admin may not see it`
      : `there is no user "${name}" with a password in ${account.home}, or the admin may not see it`;
  return failure('target-missing', { secret: step.secret, target: place.target, detail });
}

/** Replaces the password in place; as a compare-and-swap when the login changes its own. */
export async function applySingle(
  step: SqlStep,
  candidate: Credential,
  live: Credential,
  environment: RotatorEnvironment,
): Promise<ApplyOutcome> {
  // What logs in now is what was to be made to: an attempt before this one got that far.
  const done = live.username === candidate.username && live.password.equals(candidate.password);
  if (done && !step.signal.aborted) return { kind: 'applied', credential: candidate };
  const name = bareName(candidate.username ?? '', step.endpoint);
  const secrets = [candidate.password, live.password, step.current.password];
  const work = async (server: Server): Promise<ApplyOutcome> => {
    const account = await findAccount(server, name, step.endpoint);
    const at = { step, candidate, account, place: adminPlace(step) };
    if (step.admin.kind !== 'self') {
      const principal = await findPrincipal(server, account, name);
      if (principal === undefined) return unknownAccount(at, name);
      const unsafe = await unsafeLogin(server, at, principal);
      if (unsafe !== undefined) return unsafe;
    }
    const old = step.admin.kind === 'self' ? live.password.reveal() : undefined;
    await server.change(account.home, passwordStatement(account, name, candidate.password.reveal(), old));
    return { kind: 'applied', credential: candidate };
  };
  return asAdmin(step, live, environment, secrets, work, {
    login: name,
    permission: 'ALTER ANY LOGIN or ALTER ANY USER',
  });
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
    const account = await findAccount(server, liveName, step.endpoint);
    const at: Work = {
      step,
      candidate,
      account,
      place: { ...adminPlace(step), permission: changePermission(account.kind) },
    };
    const current = await findPrincipal(server, account, liveName);
    if (current === undefined) return unknownAccount(at, liveName);
    const prepared = await prepare(server, at, current, name);
    if (isFailure(prepared)) return prepared;
    await server.change(account.home, passwordStatement(account, name, candidate.password.reveal()));
    // Enabled last: until the candidate's password is set, the one before would come back to life.
    if (account.kind === 'login') await server.change(master, `ALTER LOGIN ${quoteName(name)} ENABLE;`);
    const { warnings } = prepared;
    return { kind: 'applied', credential: candidate, ...(warnings.length === 0 ? {} : { warnings }) };
  };
  return asAdmin(step, live, environment, secrets, work, {
    login: name,
    permission: 'ALTER ANY LOGIN or ALTER ANY USER',
  });
}

type Prepared = { readonly kind: 'prepared'; readonly warnings: readonly string[] } | Failure;

/** Finds the idle account safe to use, or makes it so. */
async function prepare(server: Server, at: Work, live: Principal, name: string): Promise<Prepared> {
  const { step, account } = at;
  const liveUnsafe = await unsafeLogin(server, at, live);
  if (liveUnsafe !== undefined) return liveUnsafe;
  const found = await findPrincipal(server, account, name);
  if (found !== undefined) {
    if (found.sid.equals(live.sid)) return notSafe(at, name, 'it is the login in use.');
    const unsafe = await unsafeLogin(server, at, found);
    if (unsafe !== undefined) return unsafe;
  }
  if (found === undefined && (await isTaken(server, account, name))) {
    return notSafe(at, name, 'the name belongs to something else there.');
  }
  const liveRights = await readRights(server, account, live);
  if (found === undefined) await createSecond(server, account, live, name, step.newPassword());
  const other = found ?? (await findPrincipal(server, account, name));
  if (other === undefined) return unknownAccount(at, name);
  const otherRights = await readRights(server, account, other);
  const { ours, excess } = judge(liveRights, otherRights, other.disabled);
  if (excess !== undefined) return notSafe(at, name, excess);
  if (!ours) return { kind: 'prepared', warnings: [] };
  await copyRights(server, name, liveRights, otherRights);
  return { kind: 'prepared', warnings: unseenWarning(step, liveRights, name) };
}

function unseenWarning(step: SqlStep, rights: Rights, name: string): readonly string[] {
  if (rights.unseen.length === 0) return [];
  const places = rights.unseen.join(', ');
  return [
    `${step.secret}: the admin cannot look into ${places}; if the login in use has rights there, grant the same to ${name} by hand.`,
  ];
}
