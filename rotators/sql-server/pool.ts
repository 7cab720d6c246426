/** One connection of the driver: opened, used and closed inside one call of the rotator. */
import mssql from 'mssql';
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
  readonly identity: Identity;
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
  /** What must not stand in an error besides the identity's own secret. */
  readonly secrets: readonly SecretText[];
  readonly environment: Pick<RotatorEnvironment, 'trustedCertificates' | 'connectTimeoutMs'>;
}

type Driver = Parameters<NonNullable<mssql.config['beforeConnect']>>[0];

/** A pool of one. `seen`: numbers of errors the server sent, which the driver drops from what it throws at a login. */
export class Pool {
  readonly seen: number[] = [];
  readonly #drivers: Driver[] = [];
  readonly #pool: mssql.ConnectionPool;
  #isCut = false;

  constructor(opening: Opening) {
    this.#pool = new mssql.ConnectionPool({
      ...configOf(opening),
      beforeConnect: (driver) => {
        this.#drivers.push(driver);
        driver.on('errorMessage', (message) => this.seen.push(message.number));
        // The driver would quietly open another connection for the next statement.
        if (this.#isCut) driver.close();
      },
    });
    // A connection that breaks between two statements makes the next one fail; without a listener it would end the process.
    this.#pool.on('error', () => undefined);
  }

  /** The driver opens lazily: it tries a connection here, and opens the one it works with at the first statement. */
  async connect(): Promise<void> {
    await this.#pool.connect();
  }

  async query(text: string, params: Readonly<Record<string, string | number | Buffer>>): Promise<unknown[]> {
    const request = this.#pool.request();
    for (const [name, value] of Object.entries(params)) {
      if (typeof value === 'string') request.input(name, mssql.NVarChar(4000), value);
      else if (typeof value === 'number') request.input(name, mssql.Int, value);
      else request.input(name, mssql.VarBinary(85), value);
    }
    const result: mssql.IResult<unknown> = await request.query(text);
    return [...(result.recordset ?? [])];
  }

  async batch(text: string): Promise<void> {
    await this.#pool.request().batch(text);
  }

  /** Breaks whatever is going on; nothing can be done with it afterwards. */
  cut(): void {
    this.#isCut = true;
    for (const driver of this.#drivers) driver.close();
  }

  /** May be called in any state. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.cut(), 2_000);
    await this.#pool.close().catch(() => this.cut());
    clearTimeout(timer);
  }
}

function configOf(opening: Opening): mssql.config {
  const { endpoint, identity, environment } = opening;
  const { options } = endpoint;
  const timeoutMs = Math.max(1, Math.floor(Math.min(opening.remainingMs(), 2_147_483_647)));
  const ca = trusted(endpoint, environment);
  const instance = endpoint.port === undefined ? options['instancename'] : undefined;
  return {
    server: endpoint.host,
    port: endpoint.port ?? defaultPort,
    ...(opening.database === undefined ? {} : { database: opening.database }),
    connectionTimeout: Math.min(environment.connectTimeoutMs, timeoutMs),
    requestTimeout: timeoutMs,
    validateConnection: false,
    pool: { min: 0, max: 1 },
    authentication:
      identity.kind === 'token'
        ? { type: 'azure-active-directory-access-token', options: { token: identity.token.reveal() } }
        : { type: 'default', options: { userName: identity.username, password: identity.password.reveal() } },
    options: {
      appName: applicationName,
      encrypt: encryptionOf(endpoint),
      // Only this machine may show a certificate nobody vouches for, and only when the value says so.
      trustServerCertificate: isLoopback(endpoint.host) && isYes(options['trustservercertificate']),
      cryptoCredentialsDetails: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca: [...ca] }) },
      // The driver would try again by itself, in its own time; when to try again is the engine's business.
      maxRetriesOnTransientErrors: 0,
      ...(instance === undefined ? {} : { instanceName: instance }),
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
