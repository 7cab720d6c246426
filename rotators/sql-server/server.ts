/** A server one is logged in to: reads, and changes that the server itself refuses when they come too late. */
import * as z from 'zod';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { faultOf, lateNumber, SqlFault } from './fault.ts';
import { type Opening, Pool } from './pool.ts';
import { doubled, quoteName, quoteText } from './quote.ts';

export type Params = Readonly<Record<string, string | number | Buffer>>;

export interface Server {
  /** Azure SQL Database: no USE, one connection for each database, logins in master only. */
  readonly azure: boolean;
  /** The database that was entered. */
  readonly database: string;
  /** Security id of whoever is connected. Null where the server has none for it. */
  readonly ownSid: Buffer | null;
  /** Rows of one query in a database, read by the schema. Throws a `SqlFault`. */
  rows<Row>(schema: z.ZodType<Row>, database: string, sql: string, params?: Params): Promise<readonly Row[]>;
  /** Statements that change something, in a database. Not made at all when the time of the call is over. Throws a `SqlFault`. */
  change(database: string, statements: string): Promise<void>;
}

export type ServerOutcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'fault'; readonly fault: SqlFault };

/** Logs in, does the work, and closes whatever happens. Only mistakes of our own are thrown. */
export async function withServer<Result>(
  opening: Opening,
  work: (server: Server) => Promise<Result>,
): Promise<ServerOutcome<Result>> {
  if (opening.signal.aborted) return fault('unreachable', 'the call was ended before it connected');
  if (opening.remainingMs() <= 0) return fault('late', 'the time of the call was over');
  const connections = new Connections(opening);
  const onAbort = (): void => connections.cut();
  opening.signal.addEventListener('abort', onAbort, { once: true });
  try {
    return { kind: 'done', result: await work(await greet(connections, opening)) };
  } catch (error) {
    if (opening.signal.aborted) return fault('unreachable', 'the call was ended before an answer came');
    if (!(error instanceof SqlFault)) throw error;
    return { kind: 'fault', fault: error };
  } finally {
    opening.signal.removeEventListener('abort', onAbort);
    await connections.close();
  }
}

function fault(kind: SqlFault['kind'], message: string): ServerOutcome<never> {
  return { kind: 'fault', fault: new SqlFault(kind, message) };
}

/** The connection that was asked for, and on Azure SQL Database one more for each other database. */
class Connections {
  readonly #opening: Opening;
  readonly #pools = new Map<string | undefined, Pool>();
  readonly #secrets: readonly SecretText[];

  constructor(opening: Opening) {
    const { identity, secrets } = opening;
    this.#opening = opening;
    const all = [identity.kind === 'token' ? identity.token : identity.password, ...secrets];
    // A server may quote a statement as it stood, inside a literal or inside a literal of one.
    this.#secrets = all.flatMap((secret) => [
      secret,
      new SecretText(doubled(secret.reveal())),
      new SecretText(doubled(doubled(secret.reveal()))),
    ]);
  }

  async to(database: string | undefined): Promise<Pool> {
    const known = this.#pools.get(database);
    if (known !== undefined) return known;
    const { database: _first, ...opening } = this.#opening;
    const pool = new Pool({ ...opening, ...(database === undefined ? {} : { database }) });
    // Known before it is open, so that an aborted call can cut it; a database that lets nobody in may be asked for again.
    this.#pools.set(database, pool);
    try {
      await this.scrubbing(pool, () => pool.connect());
    } catch (error) {
      this.#pools.delete(database);
      throw error;
    }
    return pool;
  }

  /** Notes that a pool that was opened without a name is in this database. */
  rename(database: string, pool: Pool): void {
    this.#pools.clear();
    this.#pools.set(database.toLowerCase(), pool);
  }

  async scrubbing<Result>(pool: Pool, work: () => Promise<Result>): Promise<Result> {
    if (this.#opening.signal.aborted) throw new SqlFault('unreachable', 'the call was ended');
    pool.seen.length = 0;
    try {
      return await work();
    } catch (error) {
      throw faultOf(error, this.#secrets, pool.seen);
    }
  }

  cut(): void {
    for (const pool of this.#pools.values()) pool.cut();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }
}

// Editions that serve one database on each connection: SQL Database, dedicated and serverless pools of Synapse.
const oneDatabaseEditions: readonly number[] = [5, 6, 11];

const hello = z.object({
  clock: z.string().transform((text) => Date.parse(`${text.slice(0, 23)}Z`)),
  edition: z.number(),
  entered: z.string(),
  ownSid: z.instanceof(Buffer).nullable(),
});

const helloQuery = `SELECT CONVERT(nvarchar(33), SYSUTCDATETIME(), 126) AS clock,
  CONVERT(int, SERVERPROPERTY(N'EngineEdition')) AS edition, DB_NAME() AS entered, SUSER_SID() AS ownSid`;

async function greet(connections: Connections, opening: Opening): Promise<Server> {
  const pool = await connections.to(opening.database);
  const answers = await connections.scrubbing(pool, () => pool.query(helloQuery, {}));
  const answer = hello.parse(answers[0]);
  // Added after the answer came: whatever the way took makes the deadline earlier than the lease's end, never later.
  const deadline = answer.clock + opening.remainingMs();
  const azure = oneDatabaseEditions.includes(answer.edition);
  connections.rename(answer.entered, pool);
  const place = async (database: string): Promise<{ pool: Pool; use: string }> =>
    azure
      ? { pool: await connections.to(database.toLowerCase()), use: '' }
      : { pool, use: `USE ${quoteName(database)};\n` };
  return {
    azure,
    database: answer.entered,
    ownSid: answer.ownSid,
    async rows(schema, database, sql, params = {}) {
      const at = await place(database);
      return z.array(schema).parse(await connections.scrubbing(at.pool, () => at.pool.query(at.use + sql, params)));
    },
    async change(database, statements) {
      const at = await place(database);
      const text = at.use + fence(deadline, opening.remainingMs()) + (azure ? asBatches(statements) : statements);
      await connections.scrubbing(at.pool, () => at.pool.batch(text));
    },
  };
}

/**
 * On Azure SQL Database a statement about a login must be the only one of its batch, and the fence must stand with it: EXEC makes a batch
 * of its text. Elsewhere the statement stands bare, because a server takes a password out of its traces where it sees the statement.
 */
function asBatches(statements: string): string {
  return `EXEC (${quoteText(statements)});`;
}

const longestLockWaitMs = 5_000;

/**
 * The server compares the deadline with its own clock in the batch that makes the change, so what a frozen worker sends late is refused
 * wherever it was held up. The longest wait for a lock is taken off, because the statement may stand that long behind the comparison.
 */
function fence(deadline: number, remainingMs: number): string {
  const lockMs = Math.floor(Math.max(0, Math.min(longestLockWaitMs, remainingMs / 4)));
  const latest = new Date(deadline - lockMs).toISOString().slice(0, -1);
  return `SET XACT_ABORT ON; SET LOCK_TIMEOUT ${lockMs};
IF SYSUTCDATETIME() > CONVERT(datetime2, ${quoteText(latest)}, 126)
BEGIN; THROW ${lateNumber}, N'The time of the call was over.', 1; END;
`;
}
