/** Live sessions of a login, from pg_stat_activity. */
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import type { UseOutcome } from '../../shared/contract/rotator.ts';
import { adminAccess, type Work } from './connect.ts';
import { applicationName, type Session, withSession } from './session.ts';

// Who may not read another login's activity still sees that the session is there, and its application; what kind of process it is and
// where it comes from are null then.
const clients = `
  usename = $1::text::name AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend'
  AND application_name <> '${applicationName}'`;

const placeQuery = `
  SELECT coalesce(nullif(application_name, ''), 'an unnamed application') AS application,
         coalesce(host(client_addr), 'an unknown address') AS address, count(*)::int AS sessions
  FROM pg_stat_activity WHERE ${clients} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`;

const place = z.object({ application: z.string(), address: z.string(), sessions: z.number().int() });

/** Sessions on `previous`. A login that keeps its name gives no way to tell on which password a session came in. */
export async function inUse(work: Work, previous: Credential): Promise<UseOutcome> {
  const login = previous.username ?? '';
  if (login === work.step.current.username) {
    return {
      kind: 'unknown',
      detail: `Postgres does not say with which password a session of "${login}" logged in, and the login is still the one in use`,
    };
  }
  const access = await adminAccess(work);
  if (access.kind === 'failed') return { kind: 'unknown', detail: access.message };
  const outcome = await withSession(access.opening, (session) => session.rows(place, placeQuery, [login]));
  if (outcome.kind === 'fault') return { kind: 'unknown', detail: outcome.fault.message };
  const sessions = outcome.result.reduce((sum, row) => sum + row.sessions, 0);
  if (sessions === 0) return { kind: 'idle' };
  const by = outcome.result.map((row) => `${row.application} at ${row.address}`);
  return { kind: 'in-use', sessions, by };
}

/** Longest wait for a session to be gone after it was told to, in ms. */
const endingMs = 5_000;

/** From version 14 on the server itself waits until the session is gone. */
const waitingVersion = 140_000;

const ended = z.object({ ended: z.number().int() });

/** Ends all sessions of a login but our own and says how many there were. Throws a `PostgresFault`, `forbidden` when that is not permitted. */
export async function endSessions(session: Session, login: string): Promise<number> {
  const wait = session.version >= waitingVersion ? `, ${endingMs}` : '';
  const query = `
    SELECT count(*) FILTER (WHERE pg_terminate_backend(pid${wait}))::int AS ended FROM pg_stat_activity WHERE ${clients}`;
  return (await session.rows(ended, query, [login]))[0]?.ended ?? 0;
}
