/** Live sessions of an account, and ending them. */
import * as z from 'zod';
import { type Account, master } from './accounts.ts';
import { SqlFault } from './fault.ts';
import { applicationName } from './pool.ts';
import type { Server } from './server.ts';

export interface LiveSession {
  readonly id: number;
  /** Program and machine, as the client named itself. */
  readonly from: string;
}

const sessionRow = z.object({ id: z.number(), program: z.string().nullable(), host: z.string().nullable() });
const permissionRow = z.object({ held: z.number().nullable() });

/** On Azure SQL Database a session is seen from the database it is in; elsewhere from anywhere. */
function lookout(server: Server, account: Account, database: string): string {
  if (account.kind === 'contained-user') return account.home;
  return server.azure ? database : master;
}

/** The right without which only one's own session is seen, and everybody would look idle. */
export function sessionPermission(server: Server): string {
  return server.azure ? 'VIEW DATABASE STATE' : 'VIEW SERVER STATE';
}

async function maySee(server: Server, place: string): Promise<boolean> {
  const query = server.azure
    ? `SELECT HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DATABASE STATE') AS held`
    : `SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') AS held`;
  const [row] = await server.rows(permissionRow, place, query);
  return row?.held === 1;
}

/**
 * Sessions that logged in as the account, our own left out. Throws a `forbidden` fault when they cannot be seen. The security id is
 * compared too, because a session goes by the name the login had when it came.
 */
export async function liveSessions(
  server: Server,
  account: Account,
  who: { readonly name: string; readonly sid: Buffer },
  database: string,
): Promise<readonly LiveSession[]> {
  const place = lookout(server, account, database);
  if (!(await maySee(server, place))) {
    throw new SqlFault('forbidden', `sessions are seen with ${sessionPermission(server)} only`);
  }
  // A login is known to master, which is database 1; the reference once said 0.
  const authenticatedBy = account.kind === 'login' ? '0, 1' : 'DB_ID()';
  const query = `SELECT session_id AS id, program_name AS program, host_name AS host FROM sys.dm_exec_sessions
    WHERE is_user_process = 1 AND authenticating_database_id IN (${authenticatedBy})
    AND (original_login_name = @name OR original_security_id = @sid)`;
  const rows = await server.rows(sessionRow, place, query, { name: who.name, sid: who.sid });
  return rows
    .filter((row) => row.program !== applicationName)
    .map((row) => ({
      id: row.id,
      from: `${row.program ?? 'an unnamed program'} on ${row.host ?? 'an unnamed machine'}`,
    }));
}

const noSuchSession = 6106;

/** Ends the sessions. One that is gone already counts as ended by somebody else. */
export async function endSessions(
  server: Server,
  account: Account,
  sessions: readonly LiveSession[],
  database: string,
): Promise<number> {
  let ended = 0;
  for (const session of sessions) {
    try {
      await server.change(lookout(server, account, database), `KILL ${session.id};`);
      ended += 1;
    } catch (error) {
      if (!(error instanceof SqlFault) || error.number !== noSuchSession) throw error;
    }
  }
  return ended;
}
