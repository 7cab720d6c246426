/** The socket and the driver's client of one connection, and what only the protocol tells: https://www.postgresql.org/docs/current/protocol-flow.html */
import { Socket } from 'node:net';
import { Client, type ClientConfig, DatabaseError } from 'pg';
import * as z from 'zod';
import { authorities } from '../../shared/authorities.ts';
import type { Endpoint, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { usesTls } from '../common/transport.ts';
import { PostgresFault } from './fault.ts';

/** How our own sessions are called in pg_stat_activity, so that they are not taken for a consumer's. */
export const applicationName = 'keyturn';
export const defaultPort = 5432;

export interface Opening {
  readonly endpoint: Endpoint;
  readonly database: string;
  /** Where to go when there is no such database. */
  readonly otherwise?: string;
  readonly username: string;
  readonly password: SecretText;
  /**
   * What the password is. A password is proven by SCRAM and goes over no wire in a form that somebody could use. A token of the app's own
   * identity is asked for in clear by Azure, and is given over verified TLS.
   */
  readonly proof: 'password' | 'token';
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
  /** What must not stand in an error besides the password. */
  readonly secrets: readonly SecretText[];
  readonly environment: Pick<RotatorEnvironment, 'trustedCertificates' | 'connectTimeoutMs'>;
}

export interface Wire {
  readonly client: Client;
  /** Called once the session is there. */
  connected(): void;
  /** Whether the server took the credential, also when it then had no room, no such database or no patience for the session. */
  authenticated(): boolean;
  /** 160004 for 16.4, as the server said at the start. */
  version(): number | undefined;
  /** Why the connection ended, where more is known than that it did: we cut it, or the server said so between two statements. */
  endedBy(): Error | undefined;
  close(): Promise<void>;
}

/** How the server wants the password: proven, or told in one of two ways. */
type Asked = 'proof' | 'cleartext' | 'md5';

/** `parameters`: settings for the session that win over those of its login and database. Poolers refuse them. */
export function openWire(opening: Opening, parameters: string | undefined): Wire {
  const cutter = socketOf(opening);
  let asked: Asked = 'proof';
  let authenticated = false;
  let version: number | undefined;
  const client = new Client(configOf(opening, cutter.socket, parameters, () => passwordFor(opening, asked)));
  // A connection that breaks between two statements makes the next one fail, with less than what was said here.
  let farewell: Error | undefined;
  client.on('error', (error) => {
    farewell ??= error;
  });
  const { connection } = client;
  connection.on('authenticationCleartextPassword', () => {
    asked = 'cleartext';
  });
  connection.on('authenticationMD5Password', () => {
    asked = 'md5';
  });
  connection.on('authenticationOk', () => {
    authenticated = true;
  });
  connection.on('parameterStatus', (message: unknown) => {
    version = versionIn(message) ?? version;
  });
  return {
    client,
    connected: cutter.connected,
    authenticated: () => authenticated,
    version: () => version,
    endedBy: () => cutter.cutBy() ?? (farewell instanceof DatabaseError ? farewell : undefined),
    async close() {
      if (cutter.cutBy() === undefined) await cutter.within(2_000, client.end());
      cutter.close();
    },
  };
}

// The socket is ours rather than the driver's, because the driver offers no other way to end a connection attempt that nobody answers.
function socketOf(opening: Opening) {
  const socket = new Socket();
  let reason: Error | undefined;
  const cut = (message: string, code: string) => {
    reason ??= Object.assign(new Error(message), { code });
    socket.destroy(reason);
  };
  const waitMs = Math.max(1, Math.min(opening.environment.connectTimeoutMs, opening.remainingMs()));
  const timer = setTimeout(() => cut(`no answer within ${waitMs} ms`, 'ETIMEDOUT'), waitMs);
  const onAbort = () => cut('the call was ended before an answer came', 'ABORT_ERR');
  opening.signal.addEventListener('abort', onAbort, { once: true });
  return {
    socket,
    connected: () => clearTimeout(timer),
    cutBy: () => reason,
    async within(ms: number, goodbye: Promise<unknown>) {
      const end = setTimeout(() => socket.destroy(), ms);
      await goodbye.catch(() => socket.destroy());
      clearTimeout(end);
    },
    close() {
      clearTimeout(timer);
      opening.signal.removeEventListener('abort', onAbort);
      socket.destroy();
    },
  };
}

function configOf(
  opening: Opening,
  socket: Socket,
  parameters: string | undefined,
  password: () => string,
): ClientConfig & { readonly scramMaxIterations: number } {
  const { endpoint, environment } = opening;
  const ca = authorities(environment.trustedCertificates);
  return {
    host: endpoint.host,
    port: endpoint.port ?? defaultPort,
    user: opening.username,
    password,
    database: opening.database,
    application_name: applicationName,
    ...(parameters === undefined ? {} : { options: parameters }),
    ssl: isEncrypted(endpoint) && {
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca: [...ca] }),
    },
    stream: () => socket,
    // The driver's own limit would lock us out of servers with a high scram_iterations; without any, a server could keep us busy.
    scramMaxIterations: 2_000_000,
  };
}

/** The driver asks for the password when it knows how the server wants it. Throws where it must not have it that way. */
function passwordFor(opening: Opening, asked: Asked): string {
  const token = opening.proof === 'token' && asked === 'cleartext' && isEncrypted(opening.endpoint);
  if (asked === 'proof' || token) return opening.password.reveal();
  const what = asked === 'cleartext' ? 'in clear' : 'as MD5';
  throw new PostgresFault(
    'rejected',
    `it asks for the ${opening.proof} ${what}, and Keyturn gave none. Store the password of "${opening.username}" as SCRAM-SHA-256 and have pg_hba.conf (or auth_type of the pooler) ask for scram-sha-256`,
  );
}

export function isEncrypted(endpoint: Endpoint): boolean {
  return usesTls(endpoint, tlsWish(endpoint));
}

// The names that libpq, JDBC and Npgsql give the wish for TLS. disable, allow and prefer are wishes for less, and count as nothing said.
function tlsWish(endpoint: Endpoint): 'required' | 'unsaid' {
  const { options } = endpoint;
  const mode = options['sslmode'] ?? options['ssl mode'] ?? options['ssl'] ?? '';
  return /^(require|verify-?ca|verify-?full|true|on|1)$/i.test(mode) ? 'required' : 'unsaid';
}

const parameterStatus = z.object({ parameterName: z.literal('server_version'), parameterValue: z.string() });

/** As `server_version_num` has it: 15.14 is 150014, and before version 10 there were three parts, 9.6.24 is 90624. */
function versionIn(message: unknown): number | undefined {
  const said = parameterStatus.safeParse(message);
  const [, major = '', minor = '0', patch = '0'] =
    /^(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(said.data?.parameterValue ?? '') ?? [];
  if (major === '') return undefined;
  if (Number(major) >= 10) return Number(major) * 10_000 + Number(minor);
  return Number(major) * 10_000 + Number(minor) * 100 + Number(patch);
}
