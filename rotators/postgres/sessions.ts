/** Live sessions of a login, from pg_stat_activity. */
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import type { RetireOutcome, UseOutcome } from '../../shared/contract/rotator.ts';
import { failure } from '../../shared/errors.ts';
import { startWaiting } from '../common/patience.ts';
import { adminAccess, adminTarget, type Work } from './connect.ts';
import { nameValue, type Question } from './question.ts';
import { quoteName, quoteText } from './quote.ts';
import { withSession } from './session.ts';
import type { Session } from './talk.ts';
import { applicationName } from './wire.ts';

// Who may not read another login's activity still sees that the session is there, and its application; what kind of process it is and
// where it comes from are null then.
const ofClients = (login: string) => `
  usename = ${nameValue(login)} AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender')`;

const place = z.object({ application: z.string(), address: z.string(), sessions: z.number().int() });

function placesOf(login: string): Question<z.infer<typeof place>> {
  const sql = `
  SELECT coalesce(nullif(application_name, ''), 'an unnamed application') AS application,
         coalesce(host(client_addr), CASE WHEN backend_type IS NOT NULL THEN 'a socket of the server' ELSE
           'a hidden address (GRANT pg_read_all_stats TO ' || quote_ident(session_user) || ' shows it)' END) AS address,
         count(*)::int AS sessions
  FROM pg_stat_activity WHERE ${ofClients(login)} AND application_name <> ${quoteText(applicationName)}
  GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`;
  return { sql, row: place };
}

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
  const outcome = await withSession(access.opening, (session) => session.rows(placesOf(login)));
  if (outcome.kind === 'fault') return { kind: 'unknown', detail: outcome.fault.message };
  const sessions = outcome.result.reduce((sum, row) => sum + row.sessions, 0);
  if (sessions === 0) return { kind: 'idle' };
  const by = outcome.result.map((row) => `${row.application} at ${row.address}`);
  return { kind: 'in-use', sessions, by };
}

/** Sessions end within moments of being told; one that is still there after this time, in ms, is stuck. */
const endingMs = 20_000;
const lookEveryMs = 40;

const told = z.object({ pid: z.number().int(), told: z.boolean() });

/**
 * All sessions of the login but our own, each told to end where that is permitted. The server tells all of them before the first one is
 * gone; told one by one, with a wait for each, 500 took 49 s. What calls itself `keyturn` is told too: anybody may call himself that.
 */
function tellAll(login: string, before?: string): Question<z.infer<typeof told>> {
  const permitted = `(SELECT rolsuper FROM pg_roles WHERE rolname = session_user)
      OR (NOT (SELECT rolsuper FROM pg_roles WHERE oid = usesysid)
          AND (pg_has_role(session_user, usesysid, 'USAGE') OR pg_has_role(session_user, 'pg_signal_backend', 'USAGE')))`;
  const sql = `
  SELECT pid, CASE WHEN ${permitted} THEN pg_terminate_backend(pid) ELSE false END AS told
  FROM pg_stat_activity WHERE ${ofClients(login)}${before === undefined ? '' : ` AND coalesce(backend_start < ${quoteText(before)}::timestamptz, true)`}`;
  return { sql, row: told };
}

const clock: Question<{ readonly now: string }> = {
  sql: 'SELECT clock_timestamp()::text AS now',
  row: z.object({ now: z.string() }),
};

/** `began`: the time of the first look, by the server's clock. */
export type Ended = Exclude<RetireOutcome, { readonly kind: 'retired' }> | (Retired & { readonly began?: string });
export type Retired = Extract<RetireOutcome, { readonly kind: 'retired' }>;

/** `closed`: nobody gets in any more, so all that is seen has to go. `in use`: whoever comes back does so with the new password. */
export type LoginState = 'closed' | 'in use';

/**
 * Ends the sessions of a login, and looks until none is left or the time is over. Of a login that is still in use only those go that were
 * there at first, or, `before` a time, that began to log in before it. Where the admin may not see when a session began, it goes. Throws a
 * `PostgresFault`.
 */
export async function endSessions(
  work: Work,
  session: Session,
  login: string,
  state: LoginState,
  before?: string,
): Promise<Ended> {
  const [[{ now: began } = { now: undefined }], first] = await Promise.all([
    session.rows(clock),
    session.rows(tellAll(login, before)),
  ]);
  const firstPids = new Set(first.map(({ pid }) => pid));
  const ended = new Set(firstPids);
  const waiting = startWaiting(work.step, { intervalMs: lookEveryMs, deadlineMs: endingMs });
  let left = first;
  // Looked at again also where there was none: a login that was under way when the password went may be through by then.
  while (await waiting.again()) {
    const seen = await session.rows(tellAll(login, state === 'in use' ? (before ?? began) : undefined));
    left = state === 'in use' ? seen.filter(({ pid }) => firstPids.has(pid)) : seen;
    for (const { pid } of left) ended.add(pid);
    if (!left.some((one) => one.told)) break;
  }
  if (left.length === 0) {
    return { kind: 'retired', sessionsEnded: ended.size, ...(began === undefined ? {} : { began }) };
  }
  return failure('sessions-open', {
    secret: work.step.secret,
    target: adminTarget(work.step),
    login,
    sessions: left.length,
    ...(await whyOpen(
      session,
      login,
      left.some((one) => one.told),
    )),
  });
}

const who = z.object({ me: z.string(), isSuperuser: z.boolean() });

async function whyOpen(
  session: Session,
  login: string,
  wereTold: boolean,
): Promise<{ readonly fix: string; readonly detail: string }> {
  const sql = `SELECT session_user::text AS me, coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = ${nameValue(login)}), false) AS "isSuperuser"`;
  const [{ me, isSuperuser } = { me: '', isSuperuser: false }] = await session.rows({ sql, row: who });
  const byHand = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${quoteText(login)};`;
  if (wereTold) {
    return {
      fix: `See what holds them: SELECT pid, state, wait_event FROM pg_stat_activity WHERE usename = ${quoteText(login)};`,
      detail: 'they were told to end and are still there',
    };
  }
  if (isSuperuser) {
    return { fix: `Run as a superuser: ${byHand}`, detail: 'only a superuser may end the sessions of one' };
  }
  return {
    fix: `Run: GRANT pg_signal_backend TO ${quoteName(me)};`,
    detail: `"${me}" may not end sessions of other logins`,
  };
}
