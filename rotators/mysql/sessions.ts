/** Who is logged in as a login, and how they are made to leave. */
import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { withPermission } from './accounts.ts';
import { type Fault, fault } from './fault.ts';
import { lacking, ownGrants } from './grants.ts';
import type { Session } from './session.ts';

export interface Sessions {
  readonly kind: 'sessions';
  readonly ids: readonly number[];
  /** Connections that have not said yet, or not proven, who they are. */
  readonly entering: readonly number[];
  /** Hosts and databases, each once. */
  readonly by: readonly string[];
  /** Without PROCESS a session is shown none but those of its own login. */
  readonly seesAll: boolean;
}

const processRow = z.object({
  id: z.coerce.number().int(),
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
  const entering = rows.filter((row) => row.user === 'unauthenticated user').map((row) => row.id);
  return { kind: 'sessions', ids: theirs.map((row) => row.id), entering, by: [...by].sort(), seesAll };
}

// When nobody else is logged in, an empty list may mean that there is nobody or that we may not look.
async function mayProcess(session: Session): Promise<boolean> {
  const own = await ownGrants(session);
  if (own.kind === 'fault') return false;
  return lacking([{ rights: ['PROCESS ON *.*'], statementFor: () => '' }], own.grants).length === 0;
}

export type Ending =
  | { readonly kind: 'ended'; readonly count: number }
  /** `met`: what stood in the way, where it was not the time. */
  | { readonly kind: 'open'; readonly count: number; readonly met?: Fault };

/** Waits between looks, in ms: what is told to end rolls back first. */
const pausesMs = [20, 50, 100, 200] as const;
/** Left for the answer, in ms. */
const reserveMs = 500;

/**
 * Ends all sessions that a login has now: all are told at once, then looked at until none is left or the time is over. Who comes later
 * has a password that still works, and stays. `killer` is a session that takes many statements at once.
 */
export async function endSessions(
  session: Session,
  killer: Session,
  user: string,
  remainingMs: () => number,
): Promise<Ending | Fault> {
  const first = await sessionsOf(session, user);
  if (first.kind === 'fault') return first;
  if (first.ids.length === 0 && !first.seesAll) {
    return { ...fault('forbidden', session.target, 'it sees no sessions but its own'), permission: 'PROCESS on *.*' };
  }
  // A login that was under way when its password went may get in still.
  const suspects = new Set([...first.ids, ...first.entering].filter((id) => id !== killer.id));
  const seen = new Set(first.ids.filter((id) => id !== killer.id));
  let left = [...seen];
  for (let look = 0; ; look++) {
    const met = await tell(killer, left);
    if (met !== undefined) return { kind: 'open', count: left.length, met };
    const now = await sessionsOf(session, user);
    if (now.kind === 'fault') return { kind: 'open', count: left.length, met: now };
    left = now.ids.filter((id) => suspects.has(id));
    for (const id of left) seen.add(id);
    const isEntering = now.entering.some((id) => suspects.has(id));
    if (left.length === 0 && !isEntering) return { kind: 'ended', count: seen.size };
    if (remainingMs() < reserveMs) return { kind: 'open', count: left.length };
    await setTimeout(pausesMs[look] ?? pausesMs[3]);
  }
}

/** The server stops at a session that has left by itself (1094), and does not say which of them it was: the next look does. */
async function tell(killer: Session, ids: readonly number[]): Promise<Fault | undefined> {
  if (ids.length === 0) return undefined;
  const answer = await killer.query(ids.map((id) => `KILL CONNECTION ${id}`).join('; '));
  if (answer.kind === 'rows' || answer.errno === 1094) return undefined;
  return withPermission(answer, endingRight(killer));
}

/** The right to end the sessions of other logins. */
export function endingRight({ server }: Session): string {
  return server.flavour === 'MariaDB' ? 'CONNECTION ADMIN ON *.*' : 'CONNECTION_ADMIN ON *.*';
}

function describe(host: string, database: string | null): string {
  const address = host.replace(/:\d+$/, '');
  return database === null ? address : `${address} (${database})`;
}
