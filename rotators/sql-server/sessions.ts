/** Live sessions of an account, and ending them. */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { type Account, master, type Principal } from './accounts.ts';
import { SqlFault } from './fault.ts';
import { applicationName } from './link.ts';
import type { Server } from './server.ts';

export interface LiveSession {
  readonly id: number;
  /** Program and machine, as the client named itself. */
  readonly from: string;
  /** Whether it goes by our name, as a login of ours that was only made to prove a password. */
  readonly ours: boolean;
}

const sessionRow = z.object({ id: z.number(), program: z.string().nullable(), host: z.string().nullable() });
const heldRow = z.object({ held: z.number().nullable() });

/** On Azure SQL Database a session is seen from the database it is in; elsewhere from anywhere. */
function lookout(server: Server, account: Account, database: string): string {
  if (account.kind === 'contained-user') return account.home;
  return server.azure ? database : master;
}

/** The right without which only one's own session is seen, and everybody would look idle. */
export function sessionPermission(server: Server): string {
  return server.azure ? 'VIEW DATABASE STATE' : 'VIEW SERVER STATE';
}

type Owner = Pick<Principal, 'name' | 'sid'>;

/**
 * Sessions that logged in as the account, the one that asks left out. Throws a `forbidden` fault when they cannot be seen. The security
 * id is compared too, because a session goes by the name the login had when it came.
 */
export async function liveSessions(
  server: Server,
  account: Account,
  { name, sid }: Owner,
  database: string,
): Promise<readonly LiveSession[]> {
  const held = server.azure
    ? `HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DATABASE STATE')`
    : `HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE')`;
  // A login is known to master, which is database 1; older words of the reference say 0.
  const authenticatedBy = account.kind === 'login' ? '0, 1' : 'DB_ID()';
  const query = `SELECT ${held} AS held; SELECT session_id AS id, program_name AS program, host_name AS host FROM sys.dm_exec_sessions
    WHERE is_user_process = 1 AND session_id <> @@SPID AND authenticating_database_id IN (${authenticatedBy})
    AND (original_login_name = @name OR original_security_id = @sid)`;
  const [rights = [], sessions = []] = await server.read(lookout(server, account, database), query, { name, sid });
  if (z.array(heldRow).parse(rights)[0]?.held !== 1) {
    const permission = sessionPermission(server);
    throw new SqlFault('forbidden', `sessions are seen with ${permission} only`, { permission });
  }
  return z
    .array(sessionRow)
    .parse(sessions)
    .map(({ id, program, host }) => ({
      id,
      from: `${program ?? 'an unnamed program'} on ${host ?? 'an unnamed machine'}`,
      ours: program === applicationName,
    }));
}

/** 6106: it is gone already. 6104: it is our own. */
const harmless: readonly number[] = [6106, 6104];
/** Statements of one batch. */
const atOnce = 500;
const pausesMs: readonly number[] = [20, 50, 100, 200, 500];

export interface Ended {
  readonly ended: number;
  /** Sessions that were still there when the time was over. */
  readonly left: number;
}

/**
 * Ends all sessions of the account in a database: all are told at once, and then looked at until none is left or the time is over. Whoever
 * names a program as we name ours is ended too.
 */
export async function endSessions(
  server: Server,
  account: Account,
  owner: Owner,
  database: string,
  time: { readonly signal: AbortSignal; readonly remainingMs: () => number },
): Promise<Ended> {
  const told = new Set<number>();
  for (let round = 0; ; round += 1) {
    const sessions = await liveSessions(server, account, owner, database);
    const left = sessions.length;
    if (left === 0 || time.signal.aborted || time.remainingMs() < lastMs) return { ended: told.size - left, left };
    await kill(server, lookout(server, account, database), sessions);
    for (const { id } of sessions) told.add(id);
    const pauseMs = pausesMs[Math.min(round, pausesMs.length - 1)] ?? 0;
    await delay(pauseMs, undefined, { signal: time.signal }).catch(() => undefined);
  }
}

/** Time that is kept for telling how it ended, in ms. */
const lastMs = 2_000;

async function kill(server: Server, place: string, sessions: readonly LiveSession[]): Promise<void> {
  for (let start = 0; start < sessions.length; start += atOnce) {
    const statements = sessions.slice(start, start + atOnce).map(({ id }) => `KILL ${id};`);
    try {
      await server.change(place, statements, { keepGoing: true });
    } catch (error) {
      if (!(error instanceof SqlFault) || error.numbers.some((number) => !harmless.includes(number))) throw error;
    }
  }
}
