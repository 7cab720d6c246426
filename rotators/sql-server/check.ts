/** The preflight: what would go wrong, said before anything is changed. */
import * as z from 'zod';
import type { CheckName, RotatorCheck, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { isFailure } from '../../shared/errors.ts';
import { otherLogin } from '../common/pair.ts';
import { rulesLine } from '../common/password-rules.ts';
import { type Account, bareName, findAccount, findPair, findPrincipal, isTaken, type Principal } from './accounts.ts';
import { adminPlace, asAdmin, loginOf, openingAs, placeOf, type SqlStep } from './connect.ts';
import { SqlFault } from './fault.ts';
import { describeRight } from './grants.ts';
import { judge } from './pair.ts';
import { policyBeside, withoutPolicy } from './password-rules.ts';
import { type PairReading, readPair, unsafePair } from './prepare.ts';
import { longestName } from './quote.ts';
import { judgeReach, outOfSight, outOfSightWords } from './reach.ts';
import { logIn, type Server } from './server.ts';
import { readServer } from './server-catalogue.ts';
import { liveSessions, sessionPermission } from './sessions.ts';
import { changePermission, notReplicated, unsafeLogin } from './work.ts';

interface Asking {
  readonly step: SqlStep;
  readonly server: Server;
  readonly account: Account;
  readonly environment: RotatorEnvironment;
}

const passed = (name: CheckName, detail: string): RotatorCheck => ({ name, state: 'passed', detail });
const unknown = (name: CheckName, detail: string): RotatorCheck => ({ name, state: 'unknown', detail });
const failed = (name: CheckName, detail: string, fix: string): RotatorCheck => ({ name, state: 'failed', detail, fix });

/** Everything a rotation needs, one line each. Changes nothing. */
export async function check(step: SqlStep, environment: RotatorEnvironment): Promise<readonly RotatorCheck[]> {
  const login = loginOf(step, step.current);
  if (isFailure(login)) return [failed('login', login.message, login.hint)];
  const name = bareName(login.name, step.endpoint);
  const published = await publishedLogsIn(step, environment);
  const lines = await asAdmin(step, step.current, environment, [step.current.password], async (server) => {
    const account = await findAccount(server, name, step.endpoint);
    const asking = { step, server, account, environment };
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

async function publishedLogsIn(step: SqlStep, environment: RotatorEnvironment): Promise<RotatorCheck> {
  const place = placeOf(step, step.current.username ?? 'the login');
  const outcome = await logIn(openingAs(step, step.current, environment));
  if (outcome.kind === 'done') return passed('current credential', `${place.who} logs in at ${place.target}.`);
  const fix = `Set a credential that works with "az keyvault secret set --name ${step.secret} --tags …" and all tags that it has, or fix what the server names.`;
  return failed('current credential', outcome.fault.message, fix);
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

async function rightLines({ step, server, account }: Asking): Promise<readonly RotatorCheck[]> {
  if (step.admin.kind === 'self') {
    return [passed('permissions', 'a login may always change its own password by naming the old one.')];
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
  if (answers.includes(1)) return [passed('permissions', `${who} holds ${permission}.`)];
  const missing = `${who} does not hold ${permission} in ${account.home}.`;
  // Where a server cannot say, the proof is the change itself.
  if (answers[0] === undefined) return [unknown('permissions', `the server does not say whether ${missing}`)];
  return [
    failed(
      'permissions',
      missing,
      `Grant ${permission} to the login of ${who}; docs/rotators/sql-server.md has the statement.`,
    ),
  ];
}

/** A view that is missing or refused is no verdict: the proof is the login itself. */
async function readable(work: () => Promise<readonly RotatorCheck[]>): Promise<readonly RotatorCheck[]> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SqlFault) || (error.kind !== 'forbidden' && error.kind !== 'rejected')) throw error;
    return [unknown('login', `the catalogue cannot be read: ${error.message}`)];
  }
}

async function accountLines(asking: Asking, name: string): Promise<readonly RotatorCheck[]> {
  const { step, server, account } = asking;
  const replicated = await replicaLines(asking, [step.endpoint.database ?? server.database]);
  if (step.admin.kind === 'self' && step.strategy === 'single-user') {
    const changes = passed('login', `${name} changes its own password.`);
    return [changes, ...replicated, ...policyLine(asking, await findPrincipal(server, account, name))];
  }
  const principal = await findPrincipal(server, account, name);
  const kind = account.kind === 'login' ? 'login' : `user with a password in ${account.home}`;
  if (principal === undefined) {
    const fix = `Create it, or correct the login in the value of ${step.secret}; if it exists, let the admin see it (VIEW ANY DEFINITION).`;
    return [failed('login', `there is no ${kind} "${name}" that the admin may see.`, fix)];
  }
  const unsafe = await unsafeLogin(server, { step, account, place: adminPlace(step) }, principal);
  if (unsafe !== undefined) return [failed('login', unsafe.message, unsafe.hint)];
  const found = passed('login', `${name} is a ${kind}.${expiryWords(principal)}`);
  const reach =
    step.strategy === 'alternating-users'
      ? await pairLines(asking, name, principal)
      : await reachLines(asking, principal);
  const rules = policyLine(asking, principal);
  return [found, ...replicated, ...(await readOnlyLines(asking)), ...rules, ...reach];
}

/** A login that is not seen may be one that is checked. */
function policyLine({ step, server, account }: Asking, { policy }: Pick<Principal, 'policy'> = { policy: true }) {
  const isChecked = policy || server.azure || account.kind === 'contained-user';
  return rulesLine(step, isChecked ? policyBeside(step.passwordRules) : withoutPolicy);
}

function expiryWords({ expiration }: Principal): string {
  return expiration ? ' Its password expires by the policy of the server (CHECK_EXPIRATION): rotate it before.' : '';
}

async function replicaLines(
  { step, server, account }: Asking,
  databases: readonly string[],
): Promise<readonly RotatorCheck[]> {
  const failure = await notReplicated(server, { step, account }, databases);
  if (failure === undefined) return [];
  return [failed('replicas', failure.message, `Use a contained user in the value of ${step.secret}.`)];
}

const readOnlyRow = z.object({ readOnly: z.boolean().nullable() });

/** A contained user is changed in its database, and the users of a pair are made there. */
async function readOnlyLines({ step, server, account }: Asking): Promise<readonly RotatorCheck[]> {
  if (account.kind === 'login' && step.strategy === 'single-user') return [];
  const database = step.endpoint.database ?? server.database;
  const query = 'SELECT is_read_only AS readOnly FROM sys.databases WHERE name = @database';
  const [row] = await server.rows(readOnlyRow, account.home, query, { database });
  if (row?.readOnly !== true) return [];
  const detail = `${database} is read-only, so nothing can be changed in it now; Keyturn tries again until it takes changes.`;
  return [unknown('writable', detail)];
}

/** A strategy that keeps the login goes on, whatever databases were not looked into; they are named. */
async function reachLines({ server, account }: Asking, principal: Principal): Promise<readonly RotatorCheck[]> {
  if (account.kind !== 'login') return [];
  const onServer = await readServer(server, [principal]);
  const seen = onServer.databases.filter(({ state, open }) => state === 0 && (server.azure || open === 1));
  const names = outOfSightWords(
    outOfSight(
      onServer,
      seen.map(({ name }) => name),
    ),
  );
  if (names.length === 0) return [];
  return [unknown('databases', `the admin cannot look into ${names.join(', ')}; the login keeps its rights there.`)];
}

async function pairLines(asking: Asking, name: string, live: Principal): Promise<readonly RotatorCheck[]> {
  const { step, server, account, environment } = asking;
  if (step.admin.kind === 'self') {
    const fix = 'Name an admin with the tag "admin", or use the strategy "single-user".';
    return [failed('second login', 'alternating-users takes an admin.', fix)];
  }
  const rules = { users: step.options.users, maxLength: longestName, lengthOf: (one: string) => one.length };
  const pair = otherLogin(name, rules);
  if (pair.kind === 'no-pair')
    return [failed('second login', pair.detail, `Correct the tag "users" of ${step.secret}.`)];
  const [, other] = await findPair(server, account, name, pair.other);
  if (other === undefined && (await isTaken(server, account, pair.other))) {
    const fix = `Name another login with the tag "users" of ${step.secret}.`;
    return [failed('second login', `the name ${pair.other} belongs to something else there.`, fix)];
  }
  const names = { live, other, name: pair.other };
  const reading = await readPair(server, account, names, step.endpoint.database);
  const unsafe = unsafePair(server, account, names, reading);
  if (unsafe !== undefined) {
    const fix = `Name another login with the tag "users" of ${step.secret}.`;
    return [failed('second login', `${unsafe.login}: ${unsafe.detail}`, fix)];
  }
  const users = reading.live.users.map(({ database }) => database);
  return [
    ...(await replicaLines(
      asking,
      users.filter((one) => one !== (step.endpoint.database ?? server.database)),
    )),
    ...(await outOfSightLines({ step, server, account, environment }, reading)),
    secondLine(step, pair.other, other, reading),
  ];
}

async function outOfSightLines(
  { step, server, environment }: Asking,
  reading: PairReading,
): Promise<readonly RotatorCheck[]> {
  if (reading.onServer === undefined) return [];
  const unseen = outOfSight(
    reading.onServer,
    reading.readings.map(({ database }) => database),
  );
  const at = { step: { ...step, emergency: false }, place: adminPlace(step), server, live: step.current };
  const reach = await judgeReach(at, unseen, environment);
  return isFailure(reach) ? [failed('databases', reach.message, reach.hint)] : [];
}

function secondLine(step: SqlStep, name: string, other: Principal | undefined, reading: PairReading): RotatorCheck {
  if (other === undefined) {
    return passed('second login', `${name} does not exist and will be created with the same rights.`);
  }
  const { ours, excess, lesser } = judge(reading.live, reading.other, other.disabled);
  if (excess !== undefined) {
    const fix = `Take it away from ${name}, or name another login with the tag "users" of ${step.secret}.`;
    return failed('second login', `${name}: ${excess}`, fix);
  }
  if (lesser.length > 0 && !ours) {
    const orphaned = reading.other.namesakes.map(({ database }) => database);
    const users =
      orphaned.length === 0 ? '' : ` In ${orphaned.join(', ')} a user of its name belongs to another security id.`;
    const detail = `${name} lacks ${lesser.map(describeRight).join(', ')}.${users}`;
    return failed('second login', detail, `Grant it to ${name}, or disable ${name} to have Keyturn do so.`);
  }
  return passed('second login', `${name} exists.`);
}

async function sessionLine({ step, server, account }: Asking, name: string): Promise<RotatorCheck> {
  const permission = sessionPermission(server);
  try {
    const [principal] = await findPair(server, account, name, name);
    const database = step.endpoint.database ?? server.database;
    const found = principal === undefined ? [] : await liveSessions(server, account, principal, database);
    const consumers = found.filter(({ ours }) => !ours).length;
    return passed(
      'sessions',
      `sessions can be seen; ${name} has ${consumers}. They go on when its password is changed or it is disabled.`,
    );
  } catch (error) {
    if (!(error instanceof SqlFault) || (error.kind !== 'forbidden' && error.kind !== 'rejected')) throw error;
    return unknown('sessions', `without ${permission} nobody can tell whether the old credential is still used.`);
  }
}
