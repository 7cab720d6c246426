import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { Client, DatabaseError } from 'pg';
import { rotatingRedis } from '../../consumer/ioredis.ts';
import { rotatingMysqlPool } from '../../consumer/mysql2.ts';
import { rotatingPgPool } from '../../consumer/pg.ts';
import type { MysqlFamilyOptions, MysqlFamilyServer } from '../../local/mysql-family.ts';
import { startPgBouncer } from '../../local/pgbouncer.ts';
import type { PostgresServer } from '../../local/postgres.ts';
import { startRedis } from '../../local/redis.ts';
import type { Target } from './target.ts';

const adminPassword = 'password-of-the-rotation-admin';
const firstPassword = 'first-password-of-the-application';
const connections = 8;

/** Where an application reaches a Postgres, if not at the server itself. */
export interface Front {
  readonly name: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A pooler with room for the application, for those who come to prove a login, and for the pool that takes the place of the old one. */
export async function startFront(postgres: PostgresServer, mode: 'transaction' | 'session'): Promise<Front> {
  // Sessions that the pooler keeps for nobody look like the old credential in use.
  const settings = { server_idle_timeout: '1' };
  const pooler = await startPgBouncer(postgres, { mode, poolSize: 4 * connections, settings });
  return { name: `pgbouncer-${mode}`, port: pooler.port, close: () => pooler.close() };
}

/** Two logins that take turns. The server is somebody else's, and stays. */
export async function startPostgresTarget(postgres: PostgresServer, app: string, front?: Front): Promise<Target> {
  const url = (user: string, password: string, database: string, port = postgres.port) =>
    `postgres://${user}:${password}@${postgres.host}:${port}/${database}`;
  await withPostgres(postgres.adminUrl, async (client) => {
    await client.query(`CREATE ROLE ${app}_admin LOGIN CREATEROLE PASSWORD '${adminPassword}'`);
    // Needed by emergencies only.
    await client.query(`GRANT pg_signal_backend TO ${app}_admin`);
    // The admin has ADMIN OPTION on the logins that it makes itself.
    await client.query(`SET ROLE ${app}_admin; CREATE ROLE ${app}_app LOGIN PASSWORD '${firstPassword}'; RESET ROLE`);
    await client.query(`CREATE DATABASE ${app} OWNER ${app}_app`);
  });
  const value = url(`${app}_app`, firstPassword, app, front?.port);
  await withPostgres(value, (client) => client.query('CREATE UNLOGGED TABLE visits (id bigserial, at timestamptz)'));
  return {
    name: front?.name ?? 'postgres',
    secret: `${app}-db`,
    strategy: 'alternating-users',
    value,
    admin: url(`${app}_admin`, adminPassword, 'postgres'),
    tags: { rotator: 'postgres', strategy: 'alternating-users' },
    async open(secret) {
      const pool = await rotatingPgPool({ secret, options: { max: connections, application_name: 'shop' } });
      return { query: () => pool.query('INSERT INTO visits (at) VALUES (now())'), end: () => pool.end() };
    },
    accepts: (given) =>
      withPostgres(given, async () => true).catch((error: unknown) => {
        if (error instanceof DatabaseError && refusals.has(error.code ?? '')) return false;
        throw error;
      }),
    close: async () => front?.close(),
  };
}

/** A wrong password and a login that may not log in, as Postgres says them, and how PgBouncer passes either on. */
const refusals: ReadonlySet<string> = new Set(['28P01', '28000', '08P01']);

/** Connects anew for one piece of work. */
export async function withPostgres<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url, application_name: 'bench' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** One login that holds two passwords during the overlap. */
export async function startMysqlTarget(
  name: 'mysql' | 'mariadb',
  start: (options: MysqlFamilyOptions) => Promise<MysqlFamilyServer>,
): Promise<Target> {
  const server = await start({ settings: ['--skip-name-resolve'], init: mysqlInit(['shop']) });
  return { ...mysqlTarget(name, server, 'shop'), close: () => server.stop() };
}

/** What makes a database and a login for each of these applications, and an admin for all of them. */
export function mysqlInit(apps: readonly string[]): readonly string[] {
  return [
    `CREATE USER rotation_admin@'127.%' IDENTIFIED BY '${adminPassword}';`,
    "GRANT CREATE USER, PROCESS ON *.* TO rotation_admin@'127.%';",
    "GRANT SELECT ON mysql.* TO rotation_admin@'127.%';",
    ...apps.flatMap((app) => [
      `CREATE DATABASE ${app};`,
      `CREATE TABLE ${app}.visits (id BIGINT AUTO_INCREMENT PRIMARY KEY, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);`,
      `CREATE USER ${app}_app@'127.%' IDENTIFIED BY '${firstPassword}';`,
      `GRANT SELECT, INSERT ON ${app}.* TO ${app}_app@'127.%';`,
    ]),
  ];
}

/** One application of a server that was started with `mysqlInit`. The server is somebody else's, and stays. */
export function mysqlTarget(name: 'mysql' | 'mariadb', server: MysqlFamilyServer, app: string): Target {
  const at = `127.0.0.1:${server.port}`;
  return {
    name,
    secret: `${name}-${app}-db`,
    strategy: 'dual-password',
    value: `mysql://${app}_app:${firstPassword}@${at}/${app}`,
    admin: `mysql://rotation_admin:${adminPassword}@${at}/mysql`,
    tags: { rotator: 'mysql', strategy: 'dual-password' },
    async open(secret) {
      const pool = await rotatingMysqlPool({ secret, options: { connectionLimit: connections } });
      return { query: () => pool.query('INSERT INTO visits () VALUES ()'), end: () => pool.end() };
    },
    accepts: async (given) => {
      try {
        await (await createConnection(given)).end();
        return true;
      } catch (error) {
        if (error instanceof Error && 'errno' in error && error.errno === 1045) return false;
        throw error;
      }
    },
    close: async () => undefined,
  };
}

const adminRules =
  'resetchannels -@all +info +acl|getuser +acl|setuser +acl|save +acl|dryrun +config|get +config|set +config|rewrite +client|id +client|list +client|kill';

/** One user that holds two passwords during the overlap. */
export async function startRedisTarget(): Promise<Target> {
  const server = await startRedis({
    acl: [
      'user default off',
      `user rotation-admin on >${adminPassword} ${adminRules}`,
      `user shop-app on >${firstPassword} ~* &* +@all -@admin -@dangerous +info`,
    ],
  });
  const at = `127.0.0.1:${server.port}`;
  return {
    name: 'redis',
    secret: 'shop-cache',
    strategy: 'dual-password',
    value: `redis://shop-app:${firstPassword}@${at}`,
    admin: `redis://rotation-admin:${adminPassword}@${at}`,
    tags: { rotator: 'redis', strategy: 'dual-password' },
    async open(secret) {
      const redis = await rotatingRedis({ secret });
      return { query: () => redis.incr('visits'), end: () => redis.close() };
    },
    accepts: (given) => letsIn(server.port, new URL(given)),
    close: () => server.stop(),
  };
}

async function letsIn(port: number, { username, password }: URL): Promise<boolean> {
  const options = { lazyConnect: true, retryStrategy: null, enableReadyCheck: false, disableClientInfo: true } as const;
  // Version 2 of the protocol: the newer greeting would log in before we do, as a user that is off.
  const client = new Redis({ host: '127.0.0.1', port, protocol: 2, ...options });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.call('AUTH', decodeURIComponent(username), decodeURIComponent(password));
    return true;
  } catch (error) {
    if (error instanceof Error && /WRONGPASS/.test(error.message)) return false;
    throw error;
  } finally {
    client.disconnect();
  }
}
