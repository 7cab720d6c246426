/** A server one is logged in to: reads, and changes that the server itself refuses when they come too late. */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { Endpoint } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { faultOf, lateNumber, SqlFault, wakingNumbers } from './fault.ts';
import { Link, type Opening, type Params, type Results } from './link.ts';
import { doubled, quoteName, quoteText } from './quote.ts';

/** How the statements of a change are sent. */
export interface Manner {
  /** Each is about a login, and must be the only one of its batch on Azure SQL Database. */
  readonly aboutLogins?: boolean;
  /** One that fails does not stop the others. */
  readonly keepGoing?: boolean;
}

export interface Server {
  /** Azure SQL Database: no USE, one connection for each database, logins in master only. */
  readonly azure: boolean;
  /** Azure SQL Managed Instance, which is a SQL Server in all that matters here but for its replicas. */
  readonly managed: boolean;
  /** The database that was entered. */
  readonly database: string;
  /** Security id of whoever is connected. Null where the server has none for it. */
  readonly ownSid: Buffer | null;
  /** All results of some queries in a database. Throws a `SqlFault`. */
  read(database: string, sql: string, params?: Params): Promise<Results>;
  /** Rows of one query in a database, read by the schema. Throws a `SqlFault`. */
  rows<Row>(schema: z.ZodType<Row>, database: string, sql: string, params?: Params): Promise<readonly Row[]>;
  /** Statements that change something, in a database. Not made at all when the time of the call is over. Throws a `SqlFault`. */
  change(database: string, statements: readonly string[], manner?: Manner): Promise<void>;
}

export type ServerOutcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'fault'; readonly fault: SqlFault };

/** Whether a host is Azure SQL Database by its name; its clouds differ in what comes behind. */
export const isAzureHost = ({ host }: Endpoint): boolean => host.toLowerCase().includes('.database.');

/** Logs in, does the work, and closes whatever happens. Only mistakes of our own are thrown. */
export function withServer<Result>(
  opening: Opening,
  work: (server: Server) => Promise<Result>,
): Promise<ServerOutcome<Result>> {
  return connected(opening, async (connections) => work(await greet(connections, opening)));
}

/** Logs in and out again: all that a password needs to be proven. */
export function logIn(opening: Opening): Promise<ServerOutcome<void>> {
  return connected(opening, async (connections) => void (await connections.to(opening.database)));
}

async function connected<Result>(
  opening: Opening,
  work: (connections: Connections) => Promise<Result>,
): Promise<ServerOutcome<Result>> {
  if (opening.signal.aborted) return fault('unreachable', 'the call was ended before it connected');
  if (opening.remainingMs() <= 0) return fault('late', 'the time of the call was over');
  const connections = new Connections(opening);
  const onAbort = (): void => connections.close();
  opening.signal.addEventListener('abort', onAbort, { once: true });
  try {
    return { kind: 'done', result: await work(connections) };
  } catch (error) {
    if (opening.signal.aborted) return fault('unreachable', 'the call was ended before an answer came');
    if (!(error instanceof SqlFault)) throw error;
    return { kind: 'fault', fault: error };
  } finally {
    opening.signal.removeEventListener('abort', onAbort);
    connections.close();
  }
}

function fault(kind: SqlFault['kind'], message: string): ServerOutcome<never> {
  return { kind: 'fault', fault: new SqlFault(kind, message) };
}

/** Pauses before a database that was paused is asked again, in ms. One that takes longer is left to the next attempt. */
const wakingPausesMs: readonly number[] = [250, 500, 1_000, 2_000];

/** The connection that was asked for, and on Azure SQL Database one more for each other database. */
class Connections {
  readonly #opening: Opening;
  readonly #links = new Map<string, Promise<Link>>();
  readonly #open = new Set<Link>();
  readonly #secrets: readonly SecretText[];

  constructor(opening: Opening) {
    const { identity, secrets } = opening;
    this.#opening = opening;
    const all = [identity.kind === 'token' ? identity.token : identity.password, ...secrets];
    // A server may quote a statement as it stood: inside a literal, or inside a literal of one.
    this.#secrets = all.flatMap((secret) => {
      const once = doubled(secret.reveal());
      return [secret, new SecretText(once), new SecretText(doubled(once))];
    });
  }

  to(database: string | undefined): Promise<Link> {
    const key = database?.toLowerCase() ?? '';
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link = this.#awake(database);
    this.#links.set(key, link);
    // A database that lets nobody in may be asked for again.
    link.catch(() => this.#links.delete(key));
    return link;
  }

  /** Notes that a connection that was opened without a name is in this database. */
  rename(database: string, link: Link): void {
    this.#links.set(database.toLowerCase(), Promise.resolve(link));
  }

  async #awake(database: string | undefined): Promise<Link> {
    const { signal, remainingMs } = this.#opening;
    for (const pauseMs of wakingPausesMs) {
      try {
        return await this.#enter(database);
      } catch (error) {
        const asleep = error instanceof SqlFault && wakingNumbers.includes(error.number ?? 0);
        if (!asleep || pauseMs * 2 > remainingMs()) throw error;
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
    return this.#enter(database);
  }

  async #enter(database: string | undefined): Promise<Link> {
    const { database: _first, also: _also, ...opening } = this.#opening;
    const link = new Link({ ...opening, ...(database === undefined ? {} : { database }) });
    // Known before it is open, so that an aborted call can cut it.
    this.#open.add(link);
    await this.#scrubbing(link, () => link.connect(), { atLogin: true, azure: isAzureHost(opening.endpoint) });
    return link;
  }

  scrubbing<Result>(link: Link, work: () => Promise<Result>): Promise<Result> {
    return this.#scrubbing(link, work, {});
  }

  async #scrubbing<Result>(
    link: Link,
    work: () => Promise<Result>,
    met: { readonly atLogin?: boolean; readonly azure?: boolean },
  ): Promise<Result> {
    if (this.#opening.signal.aborted) throw new SqlFault('unreachable', 'the call was ended');
    try {
      return await work();
    } catch (error) {
      throw faultOf(error, this.#secrets, { ...met, seen: [...link.seen] });
    }
  }

  /** Breaks whatever is going on. May be called again. */
  close(): void {
    for (const link of this.#open) link.close();
  }
}

// Editions that serve one database on each connection: SQL Database, dedicated and serverless pools of Synapse.
const oneDatabaseEditions: readonly number[] = [5, 6, 11];
const managedInstance = 8;

const hello = z.object({
  clock: z.string().transform((text) => Date.parse(`${text.slice(0, 23)}Z`)),
  edition: z.number(),
  entered: z.string(),
  ownSid: z.instanceof(Buffer).nullable(),
});

const helloQuery = `SELECT CONVERT(nvarchar(33), SYSUTCDATETIME(), 126) AS clock,
  CONVERT(int, SERVERPROPERTY(N'EngineEdition')) AS edition, DB_NAME() AS entered, SUSER_SID() AS ownSid`;

async function greet(connections: Connections, opening: Opening): Promise<Server> {
  const { also, endpoint } = opening;
  const openAlso = (): void => void (also === undefined ? undefined : connections.to(also).catch(() => undefined));
  if (isAzureHost(endpoint)) openAlso();
  const link = await connections.to(opening.database);
  const [answers = []] = await connections.scrubbing(link, () => link.query(helloQuery, {}));
  const answer = hello.parse(answers[0]);
  // Added after the answer came: whatever the way took makes the deadline earlier than the lease's end, never later.
  const deadline = answer.clock + opening.remainingMs();
  const azure = oneDatabaseEditions.includes(answer.edition);
  if (opening.database === undefined) connections.rename(answer.entered, link);
  if (azure) openAlso();
  const place = async (database: string): Promise<{ link: Link; use: string }> =>
    azure ? { link: await connections.to(database), use: '' } : { link, use: `USE ${quoteName(database)};\n` };
  const read: Server['read'] = async (database, sql, params = {}) => {
    const at = await place(database);
    return connections.scrubbing(at.link, () => at.link.query(at.use + sql, params));
  };
  return {
    azure,
    managed: answer.edition === managedInstance,
    database: answer.entered,
    ownSid: answer.ownSid,
    read,
    async rows(schema, database, sql, params) {
      return z.array(schema).parse((await read(database, sql, params))[0] ?? []);
    },
    async change(database, statements, manner = {}) {
      const at = await place(database);
      const body = azure && manner.aboutLogins === true ? statements.map(alone) : statements;
      const head = fence(deadline, opening.remainingMs(), manner.keepGoing === true);
      const text = [`${at.use}${head}`, ...body].join('\n');
      await connections.scrubbing(at.link, () => at.link.batch(text));
    },
  };
}

/**
 * On Azure SQL Database a statement about a login must be the only one of its batch, and the fence must stand with it: EXEC makes a batch
 * of its text. Elsewhere the statement stands bare, because a server takes a password out of its traces where it sees the statement.
 */
function alone(statement: string): string {
  return `EXEC (${quoteText(statement)});`;
}

const longestLockWaitMs = 5_000;

/**
 * The server compares the deadline with its own clock in the batch that makes the change, so what a frozen worker sends late is refused
 * wherever it was held up. The longest wait for a lock is taken off, because the statement may stand that long behind the comparison.
 */
function fence(deadline: number, remainingMs: number, keepGoing: boolean): string {
  const lockMs = Math.floor(Math.max(0, Math.min(longestLockWaitMs, remainingMs / 4)));
  const latest = new Date(deadline - lockMs).toISOString().slice(0, -1);
  return `SET XACT_ABORT ${keepGoing ? 'OFF' : 'ON'}; SET LOCK_TIMEOUT ${lockMs};
IF SYSUTCDATETIME() > CONVERT(datetime2, ${quoteText(latest)}, 126)
BEGIN; THROW ${lateNumber}, N'The time of the call was over.', 1; END;`;
}
