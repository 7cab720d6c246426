/** One connection of the driver: opened, used and closed inside one call of the rotator. */
import { Connection, type ConnectionConfiguration, Request, TYPES } from 'tedious';
import { authorities } from '../../shared/authorities.ts';
import type { Endpoint, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { isLoopback } from '../../shared/loopback.ts';
import { usesTls } from '../common/transport.ts';

/** How our own sessions are called in sys.dm_exec_sessions, so that they are not taken for a consumer's. */
export const applicationName = 'keyturn';
export const defaultPort = 1433;

/** Who logs in: a login with its password, or whoever the Entra token stands for. */
export type Identity =
  | { readonly kind: 'password'; readonly username: string; readonly password: SecretText }
  | { readonly kind: 'token'; readonly token: SecretText };

export interface Opening {
  readonly endpoint: Endpoint;
  /** Absent: the login's default. */
  readonly database?: string;
  /** Another database that will be asked: where each is a connection of its own, both are opened at a time. */
  readonly also?: string;
  readonly identity: Identity;
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
  /** What must not stand in an error besides the identity's own secret. */
  readonly secrets: readonly SecretText[];
  readonly environment: Pick<RotatorEnvironment, 'trustedCertificates' | 'connectTimeoutMs'>;
}

export type Params = Readonly<Record<string, string | number | Buffer>>;
/** The rows of each result, in order; a row by its columns' names. */
export type Results = readonly (readonly unknown[])[];

type Columns = readonly { readonly metadata: { readonly colName: string }; readonly value: unknown }[];

/**
 * The driver's connection itself: the pool of `mssql` would log in twice, once for a trial. `seen`: numbers of errors that came with the
 * last answer, which the driver drops from what it throws at a login.
 */
export class Link {
  readonly seen: number[] = [];
  readonly #connection: Connection;
  /** A connection takes one request at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(opening: Opening) {
    this.#connection = new Connection(configOf(opening));
    this.#connection.on('errorMessage', (message) => this.seen.push(message.number));
    // A connection that breaks between two statements makes the next one fail; without a listener it would end the process.
    this.#connection.on('error', () => undefined);
  }

  async connect(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#connection.connect((error) => (error === undefined || error === null ? resolve() : reject(error)));
    return promise;
  }

  /** A batch with parameters: `sp_executesql`. */
  query(text: string, params: Params): Promise<Results> {
    return this.#run(text, (request) => {
      for (const [name, value] of Object.entries(params)) {
        if (typeof value === 'string') request.addParameter(name, TYPES.NVarChar, value, { length: 4000 });
        else if (typeof value === 'number') request.addParameter(name, TYPES.Int, value);
        else request.addParameter(name, TYPES.VarBinary, value, { length: 85 });
      }
      this.#connection.execSql(request);
    });
  }

  async batch(text: string): Promise<void> {
    await this.#run(text, (request) => this.#connection.execSqlBatch(request));
  }

  #run(text: string, execute: (request: Request) => void): Promise<Results> {
    const running = this.#turn.then(() => this.#now(text, execute));
    this.#turn = running.catch(() => undefined);
    return running;
  }

  async #now(text: string, execute: (request: Request) => void): Promise<Results> {
    this.seen.length = 0;
    const { promise, resolve, reject } = Promise.withResolvers<Results>();
    const results: unknown[][] = [];
    const request = new Request(text, (error) =>
      error === undefined || error === null ? resolve(results) : reject(error),
    );
    request.on('columnMetadata', () => results.push([]));
    request.on('row', (columns: Columns) => {
      results.at(-1)?.push(Object.fromEntries(columns.map(({ metadata, value }) => [metadata.colName, value])));
    });
    execute(request);
    return promise;
  }

  /** Ends the connection, and whatever is going on with it. May be called in any state, and again. */
  close(): void {
    this.#connection.close();
  }
}

function configOf(opening: Opening): ConnectionConfiguration {
  const { endpoint, identity, environment } = opening;
  const { options } = endpoint;
  const timeoutMs = Math.max(1, Math.floor(Math.min(opening.remainingMs(), 2_147_483_647)));
  const ca = trusted(endpoint, environment);
  const instance = endpoint.port === undefined ? options['instancename'] : undefined;
  return {
    server: endpoint.host,
    authentication:
      identity.kind === 'token'
        ? { type: 'azure-active-directory-access-token', options: { token: identity.token.reveal() } }
        : { type: 'default', options: { userName: identity.username, password: identity.password.reveal() } },
    options: {
      ...(instance === undefined ? { port: endpoint.port ?? defaultPort } : { instanceName: instance }),
      ...(opening.database === undefined ? {} : { database: opening.database }),
      appName: applicationName,
      connectTimeout: Math.min(environment.connectTimeoutMs, timeoutMs),
      requestTimeout: timeoutMs,
      encrypt: encryptionOf(endpoint),
      // Only this machine may show a certificate nobody vouches for, and only when the value says so.
      trustServerCertificate: isLoopback(endpoint.host) && isYes(options['trustservercertificate']),
      cryptoCredentialsDetails: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca: [...ca] }) },
      // The driver would try again by itself, in its own time; when to try again is the engine's business.
      maxRetriesOnTransientErrors: 0,
    },
  };
}

// No public authority vouches for a loopback name, and reading all of them anew takes longer than the connection.
function trusted(endpoint: Endpoint, environment: Opening['environment']): readonly string[] | undefined {
  if (!isLoopback(endpoint.host)) return authorities(environment.trustedCertificates);
  return environment.trustedCertificates.length === 0 ? undefined : environment.trustedCertificates;
}

const isYes = (value: string | undefined): boolean => /^(true|yes|1)$/i.test(value ?? '');

// The words of the .NET, ODBC and JDBC drivers. `strict` is TDS 8: TLS from the first byte.
function encryptionOf(endpoint: Endpoint): boolean | 'strict' {
  const wish = endpoint.options['encrypt'] ?? '';
  if (/^strict$/i.test(wish)) return 'strict';
  return usesTls(endpoint, isYes(wish) || /^(mandatory|required)$/i.test(wish) ? 'required' : 'unsaid');
}
