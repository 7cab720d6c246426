/** One connection to a Postgres server: opened, used and closed inside one call of the rotator. */
import { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import * as z from 'zod';
import { authorities } from '../../shared/authorities.ts';
import type { Endpoint, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { usesTls } from '../common/transport.ts';
import { faultOf, PostgresFault } from './fault.ts';

/** How our own sessions are called in pg_stat_activity, so that they are not taken for a consumer's. */
export const applicationName = 'keyturn';
export const defaultPort = 5432;

export interface Opening {
  readonly endpoint: Endpoint;
  readonly database: string;
  readonly username: string;
  readonly password: SecretText;
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
  /** What must not stand in an error besides the password. */
  readonly secrets: readonly SecretText[];
  readonly environment: Pick<RotatorEnvironment, 'trustedCertificates' | 'connectTimeoutMs'>;
}

/** What a server says of itself when it is asked first. */
const hello = z.object({
  /** Seconds since 1970. */
  clock: z.coerce.number(),
  version: z.coerce.number().int(),
  passwordEncryption: z.string(),
  iterations: z.coerce.number().int().positive().nullable(),
});

export interface Session {
  /** 160004 for 16.4. */
  readonly version: number;
  readonly passwordEncryption: string;
  /** Null before version 16, which has no such setting. */
  readonly iterations: number | null;
  /** When the time of the call is over, by the server's own clock, in ms since 1970. */
  readonly deadline: number;
  /** Rows of one statement, read by the schema. Throws a `PostgresFault`. */
  rows<Row>(schema: z.ZodType<Row>, sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** One statement without parameters and rows. Throws a `PostgresFault`. */
  run(sql: string): Promise<void>;
}

export type SessionOutcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  /** `entered`: whether the login was let in before it went wrong. */
  | { readonly kind: 'fault'; readonly fault: PostgresFault; readonly entered: boolean };

/** Logs in, does the work, and closes whatever happens. Only mistakes of our own are thrown. */
export async function withSession<Result>(
  opening: Opening,
  work: (session: Session) => Promise<Result>,
): Promise<SessionOutcome<Result>> {
  if (opening.signal.aborted) return over('the call was ended before it connected', 'ABORT_ERR');
  if (opening.remainingMs() <= 0) {
    return { kind: 'fault', fault: new PostgresFault('late', 'the time of the call was over'), entered: false };
  }
  const wire = openWire(opening);
  let entered = false;
  try {
    await wire.client.connect();
    wire.connected();
    entered = true;
    return { kind: 'done', result: await work(await greet(wire.client, opening)) };
  } catch (error) {
    // After a cut of our own the driver reports only that the connection is gone; why is known here.
    const known = wire.cutBy() ?? error;
    // Once inside, all that a server or a wire may do comes as a fault; anything else is a mistake of ours.
    if (entered && !(error instanceof PostgresFault)) throw error;
    return { kind: 'fault', fault: faultOf(known, [opening.password, ...opening.secrets]), entered };
  } finally {
    await wire.close();
  }
}

function over(message: string, code: string): SessionOutcome<never> {
  return { kind: 'fault', fault: new PostgresFault('unreachable', message, { code }), entered: false };
}

interface Wire {
  readonly client: Client;
  connected(): void;
  cutBy(): Error | undefined;
  close(): Promise<void>;
}

// The socket is ours rather than the driver's, because the driver offers no other way to end a connection attempt that nobody answers.
function openWire(opening: Opening): Wire {
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
  const client = new Client(configOf(opening, socket));
  // A connection that breaks between two statements makes the next one fail; without a listener it would end the process.
  client.on('error', () => undefined);
  return {
    client,
    connected: () => clearTimeout(timer),
    cutBy: () => reason,
    async close() {
      clearTimeout(timer);
      const goodbye = setTimeout(() => socket.destroy(), 2_000);
      if (reason === undefined) await client.end().catch(() => socket.destroy());
      clearTimeout(goodbye);
      opening.signal.removeEventListener('abort', onAbort);
      socket.destroy();
    },
  };
}

function configOf(opening: Opening, socket: Socket): ClientConfig & { readonly scramMaxIterations: number } {
  const { endpoint, environment } = opening;
  const ca = authorities(environment.trustedCertificates);
  return {
    host: endpoint.host,
    port: endpoint.port ?? defaultPort,
    user: opening.username,
    password: opening.password.reveal(),
    database: opening.database,
    application_name: applicationName,
    ssl: usesTls(endpoint, tlsWish(endpoint)) && {
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca: [...ca] }),
    },
    stream: () => socket,
    // The driver's own limit would lock us out of servers with a high scram_iterations; without any, a server could keep us busy.
    scramMaxIterations: 2_000_000,
  };
}

// The names that libpq, JDBC and Npgsql give the wish for TLS. disable, allow and prefer are wishes for less, and count as nothing said.
export function tlsWish(endpoint: Endpoint): 'required' | 'unsaid' {
  const { options } = endpoint;
  const mode = options['sslmode'] ?? options['ssl mode'] ?? options['ssl'] ?? '';
  return /^(require|verify-?ca|verify-?full|true|on|1)$/i.test(mode) ? 'required' : 'unsaid';
}

// The first statement of every session: nothing is looked up in a schema that somebody else may write to, no statement waits longer than
// the call may take, and the server says its time.
export const helloStatement = `
  SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),
         pg_catalog.set_config('statement_timeout', $1, false),
         pg_catalog.set_config('lock_timeout', $1, false),
         extract(epoch FROM pg_catalog.clock_timestamp()) AS clock,
         pg_catalog.current_setting('server_version_num') AS version,
         pg_catalog.current_setting('password_encryption') AS "passwordEncryption",
         pg_catalog.current_setting('scram_iterations', true) AS iterations`;

async function greet(client: Client, opening: Opening): Promise<Session> {
  const secrets = [opening.password, ...opening.secrets];
  const timeoutMs = Math.max(1, Math.floor(Math.min(opening.remainingMs(), 2_147_483_647)));
  const { rows } = await scrubbing(secrets, () => client.query(helloStatement, [String(timeoutMs)]));
  const answer = hello.parse(rows[0]);
  // Added after the answer came: whatever the way took makes the deadline earlier than the lease's end, never later.
  const deadline = answer.clock * 1000 + opening.remainingMs();
  return {
    version: answer.version,
    passwordEncryption: answer.passwordEncryption,
    iterations: answer.iterations,
    deadline,
    async rows(schema, sql, values = []) {
      const result = await scrubbing(secrets, () => client.query(sql, [...values]));
      return z.array(schema).parse(result.rows);
    },
    async run(sql) {
      await scrubbing(secrets, () => client.query(sql));
    },
  };
}

async function scrubbing<Result>(secrets: readonly SecretText[], work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw faultOf(error, secrets);
  }
}
