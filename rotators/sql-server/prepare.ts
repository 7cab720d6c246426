/** Finding the idle login of a pair safe to hand out, or making it so. */
import * as z from 'zod';
import { type Failure, isFailure } from '../../shared/errors.ts';
import { type Account, isTaken, master, type Principal } from './accounts.ts';
import type { Subject } from './catalogue.ts';
import { type DatabaseReading, readDatabase, readDatabases } from './database-catalogue.ts';
import type { Namesake, Rights } from './grants.ts';
import { bareRights, copyRights, createSecond, judge, withOrphans } from './pair.ts';
import { anyPassword } from './password-rules.ts';
import { powerfulWords, powerOf, unsafePrincipal } from './power.ts';
import { quoteName } from './quote.ts';
import { judgeReach, outOfSight } from './reach.ts';
import type { Server } from './server.ts';
import { gathered, readServer, type ServerReading } from './server-catalogue.ts';
import { notReplicated, notSafe, type Work } from './work.ts';

/** Both logins of a pair, as everything about them was read. */
export interface PairReading {
  readonly live: Rights;
  readonly other: Rights;
  /** Absent for contained users: what they have is in their database. */
  readonly onServer?: ServerReading;
  readonly readings: readonly DatabaseReading[];
}

const sameName = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();

export interface Pair {
  readonly live: Principal;
  /** Absent: it does not exist yet. */
  readonly other: Principal | undefined;
  readonly name: string;
}

/** Reads the rights of both logins at once, in every database that the admin may enter. `consumers`: the one that the value names. */
export async function readPair(
  server: Server,
  account: Account,
  { live, other, name }: Pair,
  consumers: string | undefined,
): Promise<PairReading> {
  const idle: Subject = other ?? { name };
  const subjects = [live, idle];
  if (account.kind === 'contained-user') {
    const reading = await readDatabase(server, account.home, subjects);
    const [mine, theirs] = [gathered(live, undefined, [reading]), gathered(idle, undefined, [reading])];
    return { live: mine, other: theirs, readings: [reading] };
  }
  const onServer = await readServer(server, subjects);
  const open = onServer.databases.filter(
    ({ name: database, state, open: enters }) =>
      state === 0 && (server.azure || enters === 1) && database.toLowerCase() !== 'tempdb',
  );
  const names = open.map((row) => row.name);
  // The master of Azure SQL Database may list nothing to an admin of logins.
  const unlisted = server.azure && consumers !== undefined && !names.some((one) => sameName(one, consumers));
  const readings = await readDatabases(server, unlisted ? [...names, consumers] : names, subjects);
  const [mine, theirs] = [gathered(live, onServer, readings), gathered(idle, onServer, readings)];
  return { live: mine, other: theirs, onServer, readings };
}

/** Why one of the pair must not be changed or handed out; undefined when both may. */
export function unsafePair(
  server: Server,
  account: Account,
  { live, other }: Pair,
  { onServer, readings }: PairReading,
): { readonly login: string; readonly detail: string } | undefined {
  for (const principal of [live, other]) {
    if (principal === undefined) continue;
    const power = onServer === undefined ? undefined : powerfulWords(powerOf(principal, onServer, readings));
    const detail = unsafePrincipal(server, account, principal) ?? power;
    if (detail !== undefined) return { login: principal.name, detail };
  }
  if (other?.sid.equals(live.sid)) return { login: other.name, detail: 'it is the login in use.' };
  return undefined;
}

export type Prepared = { readonly kind: 'prepared'; readonly warnings: readonly string[] } | Failure;

/** Finds the idle account safe to use, or makes it so. */
export async function prepare(server: Server, at: Work, pair: Pair): Promise<Prepared> {
  const { step, account } = at;
  const { live, other, name } = pair;
  if (other === undefined && (await isTaken(server, account, name))) {
    return notSafe(at, name, 'the name belongs to something else there.');
  }
  const reading = await readPair(server, account, pair, step.endpoint.database);
  const unsafe = unsafePair(server, account, pair, reading);
  if (unsafe !== undefined) return notSafe(at, unsafe.login, unsafe.detail);
  const databases = reading.live.users.map(({ database }) => database);
  const places = [step.endpoint.database ?? server.database, ...databases];
  const replicated = await notReplicated(server, at, places, reading.onServer);
  if (replicated !== undefined) return replicated;
  const reach = await reachOf(server, at, reading);
  if (isFailure(reach)) return reach;
  const orphans = await orphansOf(server, at, name, reading);
  if (isFailure(orphans)) return orphans;
  const theirs = withOrphans(reading.other, orphans.found);
  const { ours, excess } = judge(reading.live, theirs, other === undefined || other.disabled);
  if (excess !== undefined) return notSafe(at, name, excess);
  const warnings = [...reach.warnings, ...incompleteWarning(at, name, reading)];
  if (!ours) return { kind: 'prepared', warnings: reach.warnings };
  if (other === undefined) await createSecond(server, account, live, name, anyPassword(step));
  const known = other === undefined ? created(account, name, theirs) : theirs;
  await copyRights(server, name, reading.live, known, orphans.found);
  return { kind: 'prepared', warnings };
}

async function reachOf(server: Server, at: Work, { onServer, readings }: PairReading) {
  if (onServer === undefined) return { kind: 'reach' as const, warnings: [] };
  const { step, place, live, environment } = at;
  const unseen = outOfSight(
    onServer,
    readings.map(({ database }) => database),
  );
  const proven = live.username === step.current.username ? live : step.current;
  return judgeReach({ step, place, server, live: proven }, unseen, environment);
}

/** An account that was only just created has nothing but its entry, and a contained one its user. */
function created(account: Account, name: string, rights: Rights): Rights {
  if (account.kind === 'login') return { ...rights, rights: [...rights.rights, ...bareRights] };
  return { ...rights, users: [{ database: account.home, id: 0, name, schema: null }] };
}

const ownerRow = z.object({ name: z.string() });

/** Users that have the name of the idle login and belong to nobody any more. One that is somebody's, or a role, is in the way. */
async function orphansOf(
  server: Server,
  at: Work,
  name: string,
  { live, other }: PairReading,
): Promise<{ readonly kind: 'orphans'; readonly found: readonly Namesake[] } | Failure> {
  const found: Namesake[] = [];
  if (at.account.kind === 'contained-user') return { kind: 'orphans', found };
  for (const namesake of other.namesakes) {
    const needed = live.users.some(({ database }) => database === namesake.database);
    const served = other.users.some(({ database }) => database === namesake.database);
    if (!needed || served) continue;
    const owners = await server.rows(ownerRow, master, 'SELECT name FROM sys.sql_logins WHERE sid = @sid', {
      sid: namesake.sid ?? Buffer.alloc(1),
    });
    if (!namesake.ofLogin || owners.length > 0) {
      const owner = owners[0]?.name ?? 'no login';
      const detail = `in ${namesake.database} the name ${name} belongs to something else (${owner}).`;
      return notSafe(at, name, detail);
    }
    found.push(namesake);
  }
  return { kind: 'orphans', found };
}

function incompleteWarning({ step }: Work, name: string, { onServer }: PairReading): readonly string[] {
  if (onServer === undefined || onServer.complete) return [];
  return [
    `${step.secret}: the server does not show the server roles; if the login in use has some, grant the same to ${name} by hand.`,
  ];
}

export function enabling(account: Account, name: string): readonly string[] {
  return account.kind === 'login' ? [`ALTER LOGIN ${quoteName(name)} ENABLE;`] : [];
}
