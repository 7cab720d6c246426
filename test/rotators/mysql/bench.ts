/** MySQL and MariaDB for tests: logins made and looked at by an owner of the server, never by the rotator. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Connection, createConnection } from 'mysql2/promise';
import type { MysqlFamilyOptions, MysqlFamilyServer } from '../../../local/mysql-family.ts';
import { mysql } from '../../../rotators/mysql/entry.ts';
import type { MysqlTags } from '../../../rotators/mysql/tags.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import type { Endpoint, Rotator, RotatorEnvironment } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import type { Strategy } from '../../../shared/contract/strategy.ts';
import type { Scene, Session, Target, Variant } from '../../conformance/harness.ts';
import { newPassword } from '../../conformance/step.ts';

/** What the two servers write differently. Each comes with the file that starts its server, so that a test loads only its own. */
export interface Flavour {
  readonly name: 'MySQL' | 'MariaDB';
  readonly start: (options: MysqlFamilyOptions) => Promise<MysqlFamilyServer>;
  readonly settings: readonly string[];
  /** The right to end other logins' sessions. */
  readonly endSessions: string;
  /** SET DEFAULT ROLE reporting … */
  readonly roleOf: 'FOR' | 'TO';
  /** IDENTIFIED … for a login that has no password at all. */
  readonly withoutPassword: string;
  /** Selects `locked` of one account, by name: 1 or 0. */
  readonly locked: string;
  /** Whether there is a right, part of ALL PRIVILEGES, that only its own kind may change. */
  readonly hasSystemUser: boolean;
  /** Tables that hold accounts, rights and roles. */
  readonly tables: readonly string[];
}

export const owner = { user: 'owner', password: 'owner-of-a-throwaway-server' };
export const admin: Credential = {
  username: 'rotation_admin',
  password: new SecretText('admin-of-a-throwaway-server'),
};
export const powerless: Credential = { username: 'powerless', password: new SecretText('powerless-throwaway') };

// Loopback is a network like any other here: accounts have host parts, as they have in real life.
export const host = '127.%';

const init = [
  `CREATE USER owner@'${host}' IDENTIFIED BY '${owner.password}';`,
  `GRANT ALL PRIVILEGES ON *.* TO owner@'${host}' WITH GRANT OPTION;`,
  'CREATE DATABASE orders;',
  'CREATE TABLE orders.items (id INT);',
  'CREATE DATABASE reports;',
  'CREATE TABLE reports.totals (id INT);',
  `CREATE USER powerless@'${host}' IDENTIFIED BY '${powerless.password.reveal()}';`,
  `GRANT SELECT ON mysql.* TO powerless@'${host}';`,
];

/** The rights of docs/rotators/mysql.md and no more, so that the tests prove them to be enough. */
const adminRights = [
  `CREATE USER rotation_admin@'${host}' IDENTIFIED BY '${admin.password.reveal()}';`,
  `GRANT CREATE USER, PROCESS ON *.* TO rotation_admin@'${host}';`,
  `GRANT SELECT ON mysql.* TO rotation_admin@'${host}';`,
  `GRANT SELECT, INSERT, UPDATE ON orders.* TO rotation_admin@'${host}' WITH GRANT OPTION;`,
];

// MariaDB lets the one who creates a role grant it, so this is not for the init file, which nobody in particular runs.
const roles = [
  'CREATE ROLE reporting',
  'GRANT SELECT ON reports.* TO reporting',
  `GRANT reporting TO rotation_admin@'${host}' WITH ADMIN OPTION`,
];

export interface LoginOptions {
  readonly name?: string | undefined;
  readonly password?: SecretText;
  readonly powerful?: boolean;
  /** The name leaves no room for that of a second login. */
  readonly alone?: boolean;
}

export interface MysqlBench {
  readonly flavour: Flavour;
  readonly server: MysqlFamilyServer;
  readonly endpoint: Endpoint;
  /** One statement as the owner of the server. */
  asOwner(statement: string, values?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** A login of its own with the rights of the application. */
  makeLogin(options?: LoginOptions): Promise<Credential>;
  logsIn(credential: Credential): Promise<boolean>;
  close(): Promise<void>;
}

export async function startBench(flavour: Flavour, options: MysqlFamilyOptions = {}): Promise<MysqlBench> {
  const server = await flavour.start({
    ...options,
    log: true,
    init: [...init, ...adminRights, ...(options.init ?? [])],
    settings: ['--skip-name-resolve', ...flavour.settings, ...(options.settings ?? [])],
  });
  const connection = await connect(server, owner);
  // The driver quotes values for this mode; a test may have set the server to another.
  await connection.query("SET SESSION sql_mode = ''");
  const asOwner: MysqlBench['asOwner'] = async (statement, values = []) => {
    const [rows] = await connection.query(statement, [...values]);
    return Array.isArray(rows) ? rows.map((row) => ({ ...row })) : [];
  };
  for (const statement of roles) await asOwner(statement);
  return {
    flavour,
    server,
    endpoint: { host: server.host, port: server.port, database: 'orders', options: {} },
    asOwner,
    makeLogin: async ({ name, password = newPassword(), powerful, alone } = {}) => {
      const username = name ?? `app_${randomBytes(4).toString('hex')}`;
      const credential = { username, password };
      for (const each of [username, ...(alone ? [] : [`${username}_alt`])]) {
        await asOwner('DROP USER IF EXISTS ?@?', [each, host]);
      }
      await asOwner('CREATE USER ?@? IDENTIFIED BY ?', [username, host, credential.password.reveal()]);
      if (powerful) await asOwner('GRANT ALL PRIVILEGES ON *.* TO ?@?', [username, host]);
      if (powerful && flavour.hasSystemUser) await asOwner('REVOKE SYSTEM_USER ON *.* FROM ?@?', [username, host]);
      await asOwner('GRANT SELECT, INSERT ON orders.* TO ?@?', [username, host]);
      await asOwner('GRANT reporting TO ?@?', [username, host]);
      await asOwner(`SET DEFAULT ROLE reporting ${flavour.roleOf} ?@?`, [username, host]);
      return credential;
    },
    logsIn: (credential) => logsIn(server, credential),
    close: async () => {
      connection.destroy();
      await server.stop();
    },
  };
}

export async function connect(
  server: MysqlFamilyServer,
  login: { readonly user: string; readonly password: string },
): Promise<Connection> {
  return createConnection({ host: server.host, port: server.port, ...login });
}

export function connectAs(server: MysqlFamilyServer, { username = '', password }: Credential): Promise<Connection> {
  return connect(server, { user: username, password: password.reveal() });
}

// 1045 and 1698 wrong password, 1820 and 1862 expired, 3118 and 4151 locked, 3955 locked after failed logins.
const refusals = new Set([1045, 1698, 1820, 1862, 3118, 3955, 4151]);

async function logsIn(server: MysqlFamilyServer, credential: Credential): Promise<boolean> {
  try {
    const connection = await connectAs(server, credential);
    connection.destroy();
    return true;
  } catch (error) {
    if (error instanceof Error && 'errno' in error && refusals.has(Number(error.errno))) return false;
    throw error;
  }
}

const attempts = [
  'SELECT * FROM orders.items',
  'INSERT INTO orders.items VALUES (1)',
  'UPDATE orders.items SET id = 2',
  'SELECT * FROM reports.totals',
  'INSERT INTO reports.totals VALUES (1)',
  'CREATE DATABASE mischief',
];

/** Found out by doing it. */
export async function mayDo(server: MysqlFamilyServer, credential: Credential): Promise<readonly string[]> {
  const connection = await connectAs(server, credential);
  try {
    const done: string[] = [];
    for (const statement of attempts) {
      const answer = await connection.query(statement).then(
        () => 'done',
        () => 'refused',
      );
      if (answer === 'done') done.push(statement);
    }
    return done;
  } finally {
    connection.destroy();
  }
}

export async function openSession(server: MysqlFamilyServer, credential: Credential): Promise<Session> {
  const connection = await connectAs(server, credential);
  connection.on('error', () => undefined);
  return {
    alive: () =>
      connection.query('SELECT 1').then(
        () => true,
        () => false,
      ),
    close: async () => connection.destroy(),
  };
}

/** Accounts, rights and roles. */
export async function snapshot({ asOwner, flavour }: MysqlBench): Promise<unknown> {
  const rows = flavour.tables.map((table) => asOwner(`SELECT * FROM mysql.${table}`));
  return (await Promise.all(rows)).map((table) => table.map((row) => JSON.stringify(row)).sort());
}

export async function mysqlTarget(
  flavour: Flavour,
  strategy: Strategy,
): Promise<Target<MysqlTags> & { readonly bench: MysqlBench }> {
  const bench = await startBench(flavour);
  // The suite has emergencies.
  await bench.asOwner(`GRANT ${flavour.endSessions} ON *.* TO rotation_admin@?`, [host]);
  return {
    bench,
    scene: (_strategy, variant) => sceneOf(bench, strategy, variant),
    log: () => readFile(bench.server.generalLog, 'utf8'),
    close: bench.close,
  };
}

async function sceneOf(bench: MysqlBench, strategy: Strategy, variant: Variant): Promise<Scene<MysqlTags>> {
  const { server, endpoint } = bench;
  const self = variant.admin === 'self';
  const current = await bench.makeLogin({ name: variant.login, powerful: self && strategy === 'dual-password' });
  return {
    current,
    endpoint,
    adminEndpoint: { host: server.host, port: server.port, options: {} },
    admin: self ? { kind: 'self' } : { kind: 'connection', secret: 'mysql-admin', credential: admin },
    options: {},
    login: bench.logsIn,
    openSession: (credential) => openSession(server, credential),
    mayDo: (credential) => mayDo(server, credential),
    snapshot: () => snapshot(bench),
    missing: { username: `nobody_${randomBytes(4).toString('hex')}`, password: newPassword() },
  };
}

export async function loadMysql(environment: Partial<RotatorEnvironment> = {}): Promise<Rotator<MysqlTags>> {
  return mysql.load({
    trustedCertificates: [],
    connectTimeoutMs: 5_000,
    getToken: async () => newPassword(),
    allowedHosts: [],
    cloud: { resourceManager: '', graph: '', login: '' },
    ...environment,
  });
}
