/** One session on a MySQL or MariaDB server: every answer a value, nothing secret in it, and no longer than the step. */
import { connect, isIP, type Socket } from 'node:net';
import { type Connection, type ConnectionOptions, createConnection } from 'mysql2';
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Endpoint } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { targetName } from '../common/transport.ts';
import { type Fault, fault, faultOf, type Moment } from './fault.ts';
import { type Account, literal, parseAccount, sessionMode } from './quote.ts';

export const defaultPort = 3306;

export type Row = Readonly<Record<string, unknown>>;
export type Rows = { readonly kind: 'rows'; readonly rows: readonly Row[] } | Fault;

export interface Server {
  readonly flavour: 'MariaDB' | 'MySQL';
  /** As the server writes it. */
  readonly text: string;
  /** Major, minor, patch as one number that can be compared: 10.11.6 is 101106. */
  readonly version: number;
}

/** How the server was set when the session began. */
export interface Settings {
  /** Why it takes no changes, in its own words: `read_only is ON`. Absent where it takes them. */
  readonly readOnly?: string;
  /** Days until a password has to be changed, where its account does not say; 0: never. */
  readonly lifetimeDays: number;
}

export interface Session {
  readonly kind: 'session';
  readonly target: string;
  readonly server: Server & Settings;
  /** The account the server matched: which of several with one name it is depends on the host we come from. */
  readonly account: Account;
  /** What it logged in with. */
  readonly as: Credential;
  /** Where we come from, as the server sees it: an address, or a name where it resolves them. */
  readonly client: string;
  readonly id: number;
  /** Sends one statement. Never throws. */
  query(statement: string): Promise<Rows>;
  /** Sends a statement that changes something; `permission` is the right it needs. The server refuses it when it arrives too late. */
  change(statement: string, permission: string): Promise<Fault | undefined>;
  /** May be called again. */
  close(): void;
}

export interface OpenOptions {
  readonly endpoint: Endpoint;
  readonly credential: Credential;
  readonly database?: string;
  /** Absent: plain. */
  readonly tls?: { readonly ca?: string[] };
  /** An Entra token is checked by the server itself and so is sent as it is, inside TLS. */
  readonly sendsToken: boolean;
  /** Lets one text hold several statements. Default false. */
  readonly manyStatements?: boolean;
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
  /** What must not appear in a message, besides the credential. */
  readonly secrets: readonly SecretText[];
}

// MariaDB 12 writes OFF and MySQL 0.
const flag = z.coerce.string().transform((text) => text !== '0' && text !== 'OFF');

const greeting = z.object({
  version: z.string(),
  account: z.string(),
  client: z.string(),
  id: z.coerce.number(),
  now: z.coerce.number(),
  readOnly: flag,
  // Readers of Aurora are set so, and whatever may write elsewhere may not here.
  innodbReadOnly: flag,
  lifetimeDays: z.coerce.number(),
});

/** Connects, logs in, and makes the session independent of the server's settings. */
export async function openSession(options: OpenOptions): Promise<Session | Fault> {
  const wire = new Wire(options);
  const entered = await wire.connect();
  if (entered !== undefined) return entered;
  const prepared = await prepare(wire);
  if (prepared.kind === 'fault') {
    wire.close();
    return prepared;
  }
  const { server, hello, offsetMs } = prepared;
  return {
    kind: 'session',
    target: wire.target,
    server,
    account: parseAccount(hello.account),
    as: options.credential,
    client: parseAccount(hello.client).host,
    id: hello.id,
    query: (statement) => wire.query(statement, 'statement'),
    change: async (statement, permission) => {
      // An admin with CONNECTION_ADMIN or SUPER is let past read_only: what it wrote would exist on this server alone.
      if (server.readOnly !== undefined) return fault('read-only', wire.target, server.readOnly);
      const text = server.flavour === 'MariaDB' ? fenced(statement, offsetMs, options.remainingMs()) : statement;
      const answer = await wire.query(text, 'statement');
      if (answer.kind === 'rows') return undefined;
      return answer.fault === 'forbidden' ? { ...answer, permission: answer.permission ?? permission } : answer;
    },
    close: () => wire.close(),
  };
}

interface Prepared {
  readonly kind: 'prepared';
  readonly server: Server & Settings;
  readonly hello: z.infer<typeof greeting>;
  /** The server's clock less our own monotonic one. */
  readonly offsetMs: number;
}

async function prepare(wire: Wire): Promise<Prepared | Fault> {
  const set = await wire.query(
    `SET SESSION sql_mode = ${literal(sessionMode)}, SESSION sql_quote_show_create = 1`,
    'login',
  );
  if (set.kind === 'fault') return set;
  const asked = await wire.query(
    'SELECT VERSION() AS version, CURRENT_USER() AS account, USER() AS client, CONNECTION_ID() AS id, UNIX_TIMESTAMP(SYSDATE(6)) AS now, @@GLOBAL.read_only AS readOnly, @@GLOBAL.innodb_read_only AS innodbReadOnly, @@GLOBAL.default_password_lifetime AS lifetimeDays',
    'login',
  );
  if (asked.kind === 'fault') return asked;
  const hello = greeting.safeParse(asked.rows[0]);
  if (!hello.success) return fault('rejected', wire.target, 'it did not say which version it is');
  const offsetMs = hello.data.now * 1000 - performance.now();
  const server = { ...serverOf(hello.data.version), ...settingsOfServer(hello.data) };
  return { kind: 'prepared', server, hello: hello.data, offsetMs };
}

function settingsOfServer({ readOnly, innodbReadOnly, lifetimeDays }: z.infer<typeof greeting>): Settings {
  const on = [...(readOnly ? ['read_only'] : []), ...(innodbReadOnly ? ['innodb_read_only'] : [])];
  if (on.length === 0) return { lifetimeDays };
  return { lifetimeDays, readOnly: on.map((name) => `${name} is ON`).join(', ') };
}

/**
 * MariaDB compares the time itself before it changes anything, and looks whether it takes changes still. MySQL cannot: a statement that
 * changes a login may not be made conditional there without putting its password into a variable and so into logs.
 */
function fenced(statement: string, offsetMs: number, remainingMs: number): string {
  const deadline = ((offsetMs + performance.now() + remainingMs) / 1000).toFixed(6);
  return `BEGIN NOT ATOMIC IF UNIX_TIMESTAMP(SYSDATE(6)) > ${deadline} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the change came too late'; END IF; ${onlyIfWritable} ${statement}; END`;
}

const onlyIfWritable =
  "IF CAST(@@GLOBAL.read_only AS CHAR) NOT IN ('0', 'OFF') THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290, MESSAGE_TEXT = 'read_only is ON'; END IF;";

export function serverOf(text: string): Server {
  // Replication with old clients made MariaDB put "5.5.5-" in front of its version.
  const [, major = '0', minor = '0', patch = '0'] = /(\d+)\.(\d+)\.(\d+)/.exec(text.replace(/^5\.5\.5-/, '')) ?? [];
  const version = Number(major) * 10_000 + Number(minor) * 100 + Number(patch);
  return { flavour: /mariadb/i.test(text) ? 'MariaDB' : 'MySQL', text, version };
}

class Wire {
  readonly target: string;
  readonly #options: OpenOptions;
  readonly #secrets: readonly SecretText[];
  readonly #ended = Promise.withResolvers<'aborted'>();
  readonly #abort = (): void => this.#ended.resolve('aborted');
  #connection: Connection | undefined;

  constructor(options: OpenOptions) {
    this.#options = options;
    this.#secrets = [options.credential.password, ...options.secrets];
    this.target = targetName(options.endpoint, defaultPort);
    options.signal.addEventListener('abort', this.#abort, { once: true });
  }

  async connect(): Promise<Fault | undefined> {
    if (this.#isOver()) return this.#outOfTime();
    return this.#settle('login', (done) => {
      const connection = createConnection(settingsOf(this.#options));
      this.#connection = connection;
      // Without a listener a connection that breaks between two statements would end the process.
      connection.on('error', done);
      connection.connect((error) => done(error));
    });
  }

  async query(statement: string, moment: Moment): Promise<Rows> {
    const connection = this.#connection;
    if (connection === undefined || this.#isOver()) return this.#outOfTime();
    let rows: readonly Row[] = [];
    const met = await this.#settle(moment, (done) => {
      connection.query(statement, (error: unknown, result: unknown) => {
        rows = Array.isArray(result) ? result : [];
        done(error);
      });
    });
    return met ?? { kind: 'rows', rows };
  }

  close(): void {
    this.#options.signal.removeEventListener('abort', this.#abort);
    this.#connection?.destroy();
  }

  /** Waits for the driver's answer or the end of the step, whichever is first: a destroyed connection answers nothing at all. */
  async #settle(moment: Moment, start: (done: (error: unknown) => void) => void): Promise<Fault | undefined> {
    const answered = Promise.withResolvers<unknown>();
    const failedToStart = attempt(() => start((error) => answered.resolve(error ?? undefined)));
    const outcome = failedToStart ?? (await Promise.race([answered.promise, this.#ended.promise]));
    if (outcome === undefined) return undefined;
    if (moment === 'login' || outcome === 'aborted') this.close();
    return faultOf(this.target, outcome, moment, this.#secrets, outcome === 'aborted');
  }

  #isOver(): boolean {
    return this.#options.signal.aborted || this.#options.remainingMs() <= 0;
  }

  #outOfTime(): Fault {
    return fault('unreachable', this.target, 'the time for the step ran out');
  }
}

function attempt(start: () => void): Error | undefined {
  try {
    start();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error('the driver could not start');
  }
}

function settingsOf(options: OpenOptions): ConnectionOptions {
  const { endpoint, credential, database, tls } = options;
  const port = endpoint.port ?? defaultPort;
  return {
    host: endpoint.host,
    port,
    ...(tls !== undefined && isIP(endpoint.host) > 0 ? { stream: () => namedSocket(endpoint.host, port) } : {}),
    user: credential.username ?? '',
    password: credential.password.reveal(),
    connectTimeout: options.connectTimeoutMs,
    charset: 'utf8mb4',
    multipleStatements: options.manyStatements === true,
    enableCleartextPlugin: options.sendsToken && tls !== undefined,
    ...(database === undefined ? {} : { database }),
    ...(tls === undefined
      ? {}
      : { ssl: { ...tls, rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.2' } }),
  };
}

/**
 * The driver tells Node no name to check the certificate for where the host is an address, and Node then checks it for `localhost`. A
 * socket that bears the address as its host has it checked for that. Without the name the check fails, so nothing is ever let through.
 */
function namedSocket(host: string, port: number): Socket {
  return Object.assign(connect({ host, port, noDelay: true, keepAlive: true }), { _host: host });
}
