/** Who is logged in as a login, and how they are made to leave. */
import * as z from 'zod';
import { withPermission } from './accounts.ts';
import type { Fault } from './fault.ts';
import { lacking, ownGrants } from './grants.ts';
import type { Session } from './session.ts';

export interface Sessions {
  readonly kind: 'sessions';
  readonly ids: readonly number[];
  /** Hosts and databases, each once. */
  readonly by: readonly string[];
  /** Without PROCESS a session is shown none but those of its own login. */
  readonly seesAll: boolean;
}

const processRow = z.object({
  id: z.coerce.number(),
  user: z.string().nullable(),
  host: z.string().nullable(),
  db: z.string().nullable(),
});

/** Sessions of a login, our own one left out. */
export async function sessionsOf(session: Session, user: string): Promise<Sessions | Fault> {
  const answer = await session.query(
    'SELECT ID AS id, USER AS user, HOST AS host, DB AS db FROM information_schema.PROCESSLIST',
  );
  if (answer.kind === 'fault') return withPermission(answer, 'PROCESS on *.*');
  const rows = answer.rows.flatMap((row) => processRow.safeParse(row).data ?? []);
  const theirs = rows.filter((row) => row.user === user && row.id !== session.id);
  const by = new Set(theirs.map((row) => describe(row.host ?? '', row.db)));
  const own = session.account.user;
  const seesAll = own === user || rows.some((row) => row.user !== own) || (await mayProcess(session));
  return { kind: 'sessions', ids: theirs.map((row) => row.id), by: [...by].sort(), seesAll };
}

// When nobody else is logged in, an empty list may mean that there is nobody or that we may not look.
async function mayProcess(session: Session): Promise<boolean> {
  const own = await ownGrants(session);
  if (own.kind === 'fault') return false;
  return lacking([{ rights: ['PROCESS ON *.*'], statementFor: () => '' }], own.grants).length === 0;
}

/** Ends sessions. Gives how many were there to end. */
export async function endSessions(
  session: Session,
  ids: readonly number[],
): Promise<{ readonly kind: 'ended'; readonly count: number } | Fault> {
  let count = 0;
  for (const id of ids) {
    const answer = await session.query(`KILL CONNECTION ${id}`);
    if (answer.kind === 'rows') count++;
    // 1094: it left by itself.
    else if (answer.errno !== 1094)
      return withPermission(answer, 'CONNECTION ADMIN (MariaDB), CONNECTION_ADMIN (MySQL) on *.*');
  }
  return { kind: 'ended', count };
}

function describe(host: string, database: string | null): string {
  const address = host.replace(/:\d+$/, '');
  return database === null ? address : `${address} (${database})`;
}
