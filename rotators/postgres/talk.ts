/** What is said on one connection: what is asked in one turn travels in one message, and leaves nothing behind. */
import * as z from 'zod';
import { faultOf, PostgresFault } from './fault.ts';
import { fenced } from './fenced.ts';
import type { Question } from './question.ts';
import type { Opening, Wire } from './wire.ts';

/** What a server says of itself with its first answer. */
export interface Greeting {
  readonly passwordEncryption: string;
  /** Null before version 16, which has no such setting. */
  readonly iterations: number | null;
  /** A standby: it follows another server, and takes no changes. */
  readonly inRecovery: boolean;
  /** Where `default_transaction_read_only` was switched on, in the words of pg_settings; null: it is off. */
  readonly readOnlyBy: string | null;
  /** When the time of the call is over, by the server's own clock, in ms since 1970. */
  readonly deadline: number;
}

export interface Session {
  /** 160004 for 16.4. */
  readonly version: number;
  /** Comes with the first message; costs one of its own only where nothing was asked before. */
  greeting(): Promise<Greeting>;
  /** Rows of one statement. What is asked in one turn of the event loop travels in one message. Throws a `PostgresFault`. */
  rows<Row>(question: Question<Row>): Promise<readonly Row[]>;
  /** Runs the statements as one, all or none, only while the time of the call lasts: see fenced.ts. Throws a `PostgresFault`. */
  change(statements: readonly string[]): Promise<void>;
}

const versionRow = z.object({ server_version_num: z.coerce.number().int() });

// A pooler may keep what the server said at the start to itself.
export async function askVersion(wire: Wire, opening: Opening): Promise<number> {
  const answer = await scrubbing(opening, () => wire.client.query('SHOW server_version_num'));
  return versionRow.parse(answer.rows[0]).server_version_num;
}

export interface Talk {
  readonly session: Session;
  /** Whether any message was answered. */
  answered(): boolean;
}

interface Asked {
  /** Absent: only the greeting is wanted. */
  readonly sql?: string;
  readonly resolve: (rows: readonly unknown[]) => void;
  readonly reject: (fault: unknown) => void;
}

export function talkOver(wire: Wire, opening: Opening, version: number): Talk {
  let waiting: Asked[] = [];
  let greeting: Greeting | undefined;
  const send = async (statements: readonly string[]) => {
    const answers = await scrubbing(opening, () => wire.client.query(statements.join(';\n')));
    return results.parse(Array.isArray(answers) ? answers : [answers]).map(({ rows }) => rows);
  };
  const askAll = async () => {
    const asked = waiting;
    waiting = [];
    try {
      const questions = asked.flatMap(({ sql }) => (sql === undefined ? [] : [sql]));
      const [said = [], ...answers] = await send([settle(opening), ...questions]);
      greeting ??= greetingIn(said, opening);
      for (const { sql, resolve } of asked) resolve((sql === undefined ? undefined : answers.shift()) ?? []);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  };
  const ask = (sql?: string) =>
    new Promise<readonly unknown[]>((resolve, reject) => {
      if (waiting.length === 0) queueMicrotask(() => void askAll());
      waiting.push({ ...(sql === undefined ? {} : { sql }), resolve, reject });
    });
  const greet = async () => {
    if (greeting === undefined) await ask();
    if (greeting === undefined) throw new PostgresFault('unreachable', 'the server said nothing of itself');
    return greeting;
  };
  const session: Session = {
    version,
    greeting: greet,
    rows: async ({ sql, row }) => z.array(row).parse(await ask(sql)),
    async change(statements) {
      const { deadline, inRecovery, readOnlyBy } = await greet();
      if (inRecovery) throw standby();
      // Of a login or database it may be lifted; an operator who fenced the whole server meant it.
      if (readOnlyBy !== null && !/^(database|user|client|session)/.test(readOnlyBy)) {
        throw new PostgresFault(
          'read-only',
          `default_transaction_read_only is on for the whole server (${readOnlyBy})`,
        );
      }
      await send(['SET TRANSACTION READ WRITE', settle(opening), fenced(deadline, statements)]);
    },
  };
  return { session, answered: () => greeting !== undefined };
}

export function standby(): PostgresFault {
  return new PostgresFault('read-only', 'it is a standby (in recovery), which takes no changes');
}

const results = z.array(z.object({ rows: z.array(z.unknown()) }));

/**
 * The first statement of every message. A message of several statements is one transaction, and all of these settings end with it: behind
 * a pooler the server's session is somebody else's a moment later. Nothing is looked up in a schema that somebody else may write to, no
 * statement waits longer than the call may take, no setting of a login or database makes the session another role's, the server keeps a change
 * it has answered to also when it crashes a moment later (by `synchronous_commit = off` it would lose up to three times
 * `wal_writer_delay`), and it says how it is.
 */
export function settleStatement(timeoutMs: number): string {
  const limit = `'${Math.max(1, Math.floor(Math.min(timeoutMs, 2_147_483_647)))}'`;
  return `
  SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
         pg_catalog.set_config('role', 'none', true),
         pg_catalog.set_config('statement_timeout', ${limit}, true),
         pg_catalog.set_config('lock_timeout', ${limit}, true),
         CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL
           THEN pg_catalog.set_config('transaction_timeout', '0', true) END,
         CASE WHEN pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off'::pg_catalog.text
           THEN pg_catalog.set_config('synchronous_commit', 'local', true) END,
         extract(epoch FROM pg_catalog.clock_timestamp()) AS clock,
         pg_catalog.pg_is_in_recovery() AS "inRecovery",
         CASE WHEN pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool THEN
           (SELECT source FROM pg_catalog.pg_settings WHERE name::pg_catalog.text OPERATOR(pg_catalog.=) 'default_transaction_read_only'::pg_catalog.text)
           END AS "readOnlyBy",
         pg_catalog.current_setting('password_encryption') AS "passwordEncryption",
         pg_catalog.current_setting('scram_iterations', true) AS iterations`;
}

function settle(opening: Opening): string {
  return settleStatement(opening.remainingMs());
}

const said = z.object({
  /** Seconds since 1970. */
  clock: z.coerce.number(),
  inRecovery: z.boolean(),
  readOnlyBy: z.string().nullable(),
  passwordEncryption: z.string(),
  iterations: z.coerce.number().int().positive().nullable(),
});

function greetingIn(rows: readonly unknown[], opening: Opening): Greeting {
  const { clock, ...answer } = said.parse(rows[0]);
  // Added after the answer came: whatever the way took makes the deadline earlier than the lease's end, never later.
  return { ...answer, deadline: clock * 1000 + opening.remainingMs() };
}

async function scrubbing<Result>(opening: Opening, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const fault = faultOf(error, [opening.password, ...opening.secrets]);
    if (fault.kind !== 'refused') throw fault;
    // Inside a session nobody is refused any more: an extension that looks at passwords answers with the code of a bad login.
    throw new PostgresFault('rejected', fault.message, {
      cause: fault,
      ...(fault.code === undefined ? {} : { code: fault.code }),
    });
  }
}
