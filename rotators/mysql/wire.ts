/** One connection by the driver: every answer a value, nothing secret in it, and no longer than the step. */
import { connect, isIP, type Socket } from 'node:net';
import { type Connection, type ConnectionOptions, createConnection } from 'mysql2';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Endpoint } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { targetName } from '../common/transport.ts';
import { type Fault, fault, faultOf, type Moment } from './fault.ts';

export const defaultPort = 3306;

export type Row = Readonly<Record<string, unknown>>;
export type Rows = { readonly kind: 'rows'; readonly rows: readonly Row[] } | Fault;
export type Sets = { readonly kind: 'sets'; readonly sets: readonly (readonly Row[])[] } | Fault;

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

export class Wire {
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
    const answer = await this.#answer(statement, moment);
    return answer.kind === 'fault' ? answer : { kind: 'rows', rows: answer.parts };
  }

  /** A statement that gives several sets of rows: a block of MariaDB. */
  async querySets(statement: string, moment: Moment): Promise<Sets> {
    const answer = await this.#answer(statement, moment);
    return answer.kind === 'fault'
      ? answer
      : { kind: 'sets', sets: answer.parts.filter((part) => Array.isArray(part)) };
  }

  async #answer(statement: string, moment: Moment) {
    const connection = this.#connection;
    if (connection === undefined || this.#isOver()) return this.#outOfTime();
    let parts: readonly Row[] = [];
    const met = await this.#settle(moment, (done) => {
      connection.query(statement, (error: unknown, result: unknown) => {
        parts = Array.isArray(result) ? result : [];
        done(error);
      });
    });
    return met ?? { kind: 'parts' as const, parts };
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
