/** Servers with a login that leaked, and another application that has nothing to do with it. */
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { startMysql } from '../../local/mysql/index.ts';
import { startPostgres } from '../../local/postgres.ts';
import type { Target } from './target.ts';
import { mysqlInit, mysqlTarget, startPostgresTarget } from './targets.ts';

/** A session that somebody holds. */
export interface Held {
  /** When it was ended, by the clock of this process; undefined while it goes on. */
  readonly endedMs: () => number | undefined;
  end(): Promise<void>;
}

export interface Leak {
  /** Of the case. */
  readonly name: string;
  readonly leaked: Target;
  /** Another login of the same server. */
  readonly bystander: Target;
  readonly hold: (value: string) => Promise<Held>;
  close(): Promise<void>;
}

/** For the admin, for those who come to prove a login, and for the bystander. */
const further = 60;

export async function startPostgresLeak(sessions: number): Promise<Leak> {
  const settings = { max_connections: String(sessions + further), log_statement: 'none' };
  const postgres = await startPostgres({ settings });
  const leaked = await startPostgresTarget(postgres, 'leaked');
  const bystander = await startPostgresTarget(postgres, 'bystander');
  return { name: 'emergency', leaked, bystander, hold: holdPostgres, close: () => postgres.close() };
}

export async function startMysqlLeak(sessions: number): Promise<Leak> {
  const server = await startMysql({
    settings: ['--skip-name-resolve', `--max-connections=${sessions + further}`],
    init: [...mysqlInit(['leaked', 'bystander']), "GRANT CONNECTION_ADMIN ON *.* TO rotation_admin@'127.%';"],
  });
  const [leaked, bystander] = [mysqlTarget('mysql', server, 'leaked'), mysqlTarget('mysql', server, 'bystander')];
  return { name: 'emergency-mysql', leaked, bystander, hold: holdMysql, close: () => server.stop() };
}

async function holdPostgres(value: string): Promise<Held> {
  const client = new Client({ connectionString: value, application_name: 'leaked' });
  const { ended, endedMs } = noting();
  client.on('error', () => undefined);
  client.on('end', ended);
  await client.connect();
  return { endedMs, end: () => client.end() };
}

async function holdMysql(value: string): Promise<Held> {
  const connection = await createConnection(value);
  const { ended, endedMs } = noting();
  connection.on('error', ended);
  connection.on('end', ended);
  return { endedMs, end: async () => connection.destroy() };
}

/** Remembers when it was called first. */
function noting(): { readonly ended: () => void; readonly endedMs: () => number | undefined } {
  let at: number | undefined;
  const ended = () => {
    at ??= performance.now();
  };
  return { ended, endedMs: () => at };
}
