/** The preflight: what would go wrong, said before anything is changed. */
import * as z from 'zod';
import type { Check, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { isFailure } from '../../shared/errors.ts';
import { otherLogin } from '../common/pair.ts';
import { type Account, bareName, findAccount, findPrincipal, isTaken, type Principal } from './accounts.ts';
import { changePermission, unsafeLogin } from './apply.ts';
import { adminPlace, asAdmin, loginOf, openingAs, placeOf, type SqlStep } from './connect.ts';
import { SqlFault } from './fault.ts';
import { describeRight, readRights } from './grants.ts';
import { judge } from './pair.ts';
import { longestName } from './quote.ts';
import { type Server, withServer } from './server.ts';
import { liveSessions, sessionPermission } from './sessions.ts';

interface Asking {
  readonly step: SqlStep;
  readonly server: Server;
  readonly account: Account;
}

const passed = (name: string, detail: string): Check => ({ name, state: 'passed', detail });
const unknown = (name: string, detail: string): Check => ({ name, state: 'unknown', detail });
const failed = (name: string, detail: string, fix: string): Check => ({ name, state: 'failed', detail, fix });

/** Everything a rotation needs, one line each. Changes nothing. */
export async function check(step: SqlStep, environment: RotatorEnvironment): Promise<readonly Check[]> {
  const login = loginOf(step, step.current);
  if (isFailure(login)) return [failed('login', login.message, login.hint)];
  const name = bareName(login.name, step.endpoint);
  const published = await publishedLogsIn(step, environment);
  const lines = await asAdmin(step, step.current, environment, [step.current.password], async (server) => {
    const account = await findAccount(server, name, step.endpoint);
    const asking = { step, server, account };
    const entered = passed('admin', `${adminPlace(step).who} logs in at ${adminPlace(step).target}.`);
    return [
      entered,
      ...(await rightLines(asking)),
      ...(await readable(() => accountLines(asking, name))),
      await sessionLine(asking, name),
    ];
  });
  if ('kind' in lines) return [published, failed('admin', lines.message, lines.hint)];
  return [published, ...lines];
}

async function publishedLogsIn(step: SqlStep, environment: RotatorEnvironment): Promise<Check> {
  const place = placeOf(step, step.current.username ?? 'the login');
  const outcome = await withServer(openingAs(step, step.current, environment), async () => undefined);
  if (outcome.kind === 'done') return passed('published credential', `${place.who} logs in at ${place.target}.`);
  const fix = `Set a credential that works with "az keyvault secret set --name ${step.secret}", or mend what the server names.`;
  return failed('published credential', outcome.fault.message, fix);
}

const heldRow = z.object({ held: z.number().nullable() });

/** 1, 0, or undefined where this server cannot say. */
async function ask(server: Server, database: string, expression: string): Promise<number | undefined> {
  try {
    const [row] = await server.rows(heldRow, database, `SELECT ${expression} AS held`);
    return row?.held ?? undefined;
  } catch (error) {
    if (error instanceof SqlFault && (error.kind === 'rejected' || error.kind === 'forbidden')) return undefined;
    throw error;
  }
}

async function rightLines({ step, server, account }: Asking): Promise<readonly Check[]> {
  if (step.admin.kind === 'self') {
    return [passed('right to change', 'a login may always change its own password by naming the old one.')];
  }
  const permission = changePermission(account.kind);
  const asked =
    account.kind === 'login'
      ? [
          `HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY LOGIN')`,
          `IS_SRVROLEMEMBER(N'##MS_LoginManager##')`,
          // The role of master that Azure SQL Database has had from the beginning.
          `IS_ROLEMEMBER(N'loginmanager')`,
        ]
      : [`HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'ALTER ANY USER')`];
  const answers: (number | undefined)[] = [];
  for (const expression of asked) answers.push(await ask(server, account.home, expression));
  const { who } = adminPlace(step);
  if (answers.includes(1)) return [passed('right to change', `${who} holds ${permission}.`)];
  const missing = `${who} does not hold ${permission} in ${account.home}.`;
  // Where a server cannot say, the proof is the change itself.
  if (answers[0] === undefined) return [unknown('right to change', `the server does not say whether ${missing}`)];
  return [
    failed(
      'right to change',
      missing,
      `Grant ${permission} to the login of ${who}; docs/rotators/sql-server.md has the statement.`,
    ),
  ];
}

/** A view that is missing or refused is no verdict: the proof is the login itself. */
async function readable(work: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SqlFault) || (error.kind !== 'forbidden' && error.kind !== 'rejected')) throw error;
    return [unknown('account', `the catalogue cannot be read: ${error.message}`)];
  }
}

async function accountLines(asking: Asking, name: string): Promise<readonly Check[]> {
  const { step, server, account } = asking;
  if (step.admin.kind === 'self' && step.strategy === 'single-user') {
    return [passed('account', `${name} changes its own password.`)];
  }
  const principal = await findPrincipal(server, account, name);
  const kind = account.kind === 'login' ? 'login' : `user with a password in ${account.home}`;
  if (principal === undefined) {
    const fix = `Create it, or correct the login in the value of ${step.secret}; if it exists, let the admin see it (VIEW ANY DEFINITION).`;
    return [failed('account', `there is no ${kind} "${name}" that the admin may see.`, fix)];
  }
  const unsafe = await unsafeLogin(server, { step, account, place: adminPlace(step) }, principal);
  if (unsafe !== undefined) return [failed('account', unsafe.message, unsafe.hint)];
  const found = passed('account', `${name} is a ${kind}.`);
  return step.strategy === 'alternating-users' ? [found, await pairLine(asking, name, principal)] : [found];
}

async function pairLine({ step, server, account }: Asking, name: string, live: Principal): Promise<Check> {
  if (step.admin.kind === 'self') {
    return failed(
      'second login',
      'alternating-users takes an admin.',
      'Name an admin with the tag "admin", or use the strategy "single-user".',
    );
  }
  const rules = { users: step.options.users, maxLength: longestName, lengthOf: (one: string) => one.length };
  const pair = otherLogin(name, rules);
  if (pair.kind === 'no-pair') return failed('second login', pair.detail, `Correct the tag "users" of ${step.secret}.`);
  const other = await findPrincipal(server, account, pair.other);
  if (other === undefined && (await isTaken(server, account, pair.other))) {
    const fix = `Name another login with the tag "users" of ${step.secret}.`;
    return failed('second login', `the name ${pair.other} belongs to something else there.`, fix);
  }
  if (other === undefined)
    return passed('second login', `${pair.other} does not exist and will be created with the same rights.`);
  const unsafe = await unsafeLogin(server, { step, account, place: adminPlace(step) }, other);
  if (unsafe !== undefined) return failed('second login', unsafe.message, unsafe.hint);
  const [mine, theirs] = [await readRights(server, account, live), await readRights(server, account, other)];
  const { ours, excess, lesser } = judge(mine, theirs, other.disabled);
  if (excess !== undefined) {
    const fix = `Take it away from ${pair.other}, or name another login with the tag "users" of ${step.secret}.`;
    return failed('second login', `${pair.other}: ${excess}`, fix);
  }
  if (lesser.length > 0 && !ours) {
    const detail = `${pair.other} lacks ${lesser.map(describeRight).join(', ')}.`;
    return failed('second login', detail, `Grant it to ${pair.other}, or disable ${pair.other} to have Keyturn do so.`);
  }
  return passed('second login', `${pair.other} exists.`);
}

async function sessionLine({ step, server, account }: Asking, name: string): Promise<Check> {
  const permission = sessionPermission(server);
  try {
    const principal = await findPrincipal(server, account, name);
    const database = step.endpoint.database ?? server.database;
    const found = principal === undefined ? [] : await liveSessions(server, account, principal, database);
    return passed('sessions', `sessions can be seen; ${name} has ${found.length}.`);
  } catch (error) {
    if (!(error instanceof SqlFault) || (error.kind !== 'forbidden' && error.kind !== 'rejected')) throw error;
    return unknown('sessions', `without ${permission} nobody can tell whether the old credential is still used.`);
  }
}
