/** A real Postgres with a least-privilege rotation admin, and logins that hold rights in every way a login can. */
import { Client, DatabaseError } from 'pg';
import { type PostgresServer, startPostgres } from '../../local/postgres.ts';
import type { PostgresTags } from '../../rotators/postgres/tags.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Endpoint } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import type { Scene, Session, Target, Variant } from '../conformance/harness.ts';
import { newPassword } from '../conformance/step.ts';

export const database = 'shop';
export const adminName = 'rotation_admin';

/** As a person would write them by hand, so that the rotator's own quoting is not tested with itself. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export interface PostgresFixture extends Target<PostgresTags> {
  readonly server: PostgresServer;
  /** `server_version_num`: 180004 is 18.4. */
  readonly version: number;
  /** Runs a statement as superuser. */
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** Runs a statement as a login. */
  as(credential: Credential, text: string): Promise<Record<string, unknown>[]>;
  /** A connection of a consumer. */
  connect(credential: Credential): Promise<Client>;
  /** Runs a statement as superuser in a transaction that stays open until it is released. */
  hold(text: string): Promise<{ release(): Promise<void> }>;
}

export async function startFixture(
  options: Parameters<typeof startPostgres>[0] = {},
  start = startPostgres,
): Promise<PostgresFixture> {
  const server = await start(options);
  const superuser = { username: server.adminUser, password: new SecretText(server.adminPassword) };
  const connect = (credential: Credential, name = database) => connectTo(server, credential, name);
  const run = async (credential: Credential, text: string, values: readonly unknown[] = [], name = database) => {
    const client = await connect(credential, name);
    try {
      return (await client.query(text, [...values])).rows;
    } finally {
      await client.end();
    }
  };
  const adminPassword = newPassword();
  await run(superuser, `CREATE DATABASE ${database}`, [], 'postgres');
  await run(superuser, prepare(adminPassword), [], database);
  const [row] = await run(superuser, 'SHOW server_version_num');
  const version = Number(row?.['server_version_num']);
  let count = 0;
  return {
    server,
    version,
    environment: server.caPem === undefined ? {} : { trustedCertificates: [server.caPem] },
    sql: (text, values) => run(superuser, text, values),
    as: (credential, text) => run(credential, text),
    connect,
    async hold(text) {
      const client = await connect(superuser);
      await client.query(`BEGIN; ${text}`);
      return { release: () => client.end() };
    },
    scene: (strategy, variant) => {
      count += 1;
      return makeScene({ server, version, connect, superuser, adminPassword, run }, strategy, variant, count);
    },
    log: async () => server.log(),
    close: () => server.close(),
  };
}

function prepare(adminPassword: SecretText): string {
  return `
    CREATE ROLE ${adminName} LOGIN CREATEROLE PASSWORD '${adminPassword.reveal()}';
    GRANT pg_signal_backend TO ${adminName};
    GRANT SET ON PARAMETER app.note TO ${adminName};
    CREATE ROLE clerks;
    CREATE TABLE by_group (id int); GRANT SELECT, INSERT ON by_group TO clerks;
    CREATE TABLE by_grant (id int, note text, hidden text);
    CREATE TABLE by_policy (owner text); ALTER TABLE by_policy ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own_rows ON by_policy USING (owner = current_user);
    GRANT SELECT ON by_policy TO PUBLIC`;
}

interface Context {
  readonly server: PostgresServer;
  readonly version: number;
  readonly connect: (credential: Credential, database?: string) => Promise<Client>;
  readonly superuser: Credential;
  readonly adminPassword: SecretText;
  readonly run: (
    credential: Credential,
    text: string,
    values?: readonly unknown[],
  ) => Promise<Record<string, unknown>[]>;
}

async function makeScene(
  context: Context,
  strategy: Strategy,
  variant: Variant,
  count: number,
): Promise<Scene<PostgresTags>> {
  const { connect, superuser, adminPassword } = context;
  const username = variant.login ?? `app_${count}`;
  const current = { username, password: newPassword() };
  await context.run(superuser, grants(context.version, username, current.password, count));
  const endpoint = endpointOf(context.server);
  // A name that leaves no room for the ending needs the tag; so does nothing else.
  const isLong = Buffer.byteLength(username) > 59;
  return {
    current,
    endpoint,
    adminEndpoint: endpoint,
    admin:
      variant.admin === 'self'
        ? { kind: 'self' }
        : {
            kind: 'connection',
            secret: 'postgres-admin',
            credential: { username: adminName, password: adminPassword },
          },
    options: isLong && strategy === 'alternating-users' ? { users: [username, `second of ${count}`] } : {},
    missing: { username: `nobody_${count}`, password: newPassword() },
    login: (credential) => logsIn(connect, credential),
    openSession: (credential) => openSession(connect, credential),
    mayDo: (credential) => mayDo(connect, credential, count),
    snapshot: () => context.run(superuser, snapshotQuery),
  };
}

export function endpointOf(server: PostgresServer): Endpoint {
  const options = server.caPem === undefined ? {} : { sslmode: 'verify-full' };
  return { host: server.host, port: server.port, database, options };
}

function grants(version: number, username: string, password: SecretText, count: number): string {
  const name = quoted(username);
  // Before version 16 ADMIN OPTION cannot be had without the membership.
  const only = version >= 160_000 ? ', INHERIT FALSE, SET FALSE' : '';
  return `
    CREATE ROLE ${name} LOGIN CONNECTION LIMIT 20 PASSWORD '${password.reveal()}';
    GRANT ${name} TO ${adminName} WITH ADMIN OPTION${only};
    GRANT clerks TO ${name};
    GRANT SELECT (id, note), UPDATE (note) ON by_grant TO ${name};
    GRANT CREATE ON DATABASE ${database} TO ${name};
    CREATE SCHEMA room_${count} AUTHORIZATION ${name};
    CREATE TABLE room_${count}.own (id int); ALTER TABLE room_${count}.own OWNER TO ${name};
    INSERT INTO by_policy VALUES ($row$${username}$row$);
    ALTER DEFAULT PRIVILEGES FOR ROLE ${name} GRANT SELECT ON TABLES TO clerks;
    ALTER ROLE ${name} SET search_path TO room_${count}, "$user", public;
    ALTER ROLE ${name} IN DATABASE ${database} SET statement_timeout TO '77s';
    ALTER ROLE ${name} SET app.note TO 'it''s a "note" \\ here';`;
}

async function connectTo(server: PostgresServer, credential: Credential, name: string): Promise<Client> {
  const client = new Client({
    host: server.host,
    port: server.port,
    user: credential.username ?? '',
    password: credential.password.reveal(),
    database: name,
    application_name: 'a consumer',
    ssl: server.caPem === undefined ? false : { ca: server.caPem },
  });
  // A session that the server ends reports it here too.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function logsIn(connect: Context['connect'], credential: Credential): Promise<boolean> {
  try {
    const client = await connect(credential);
    await client.end();
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '28P01') return false;
    throw error;
  }
}

async function openSession(connect: Context['connect'], credential: Credential): Promise<Session> {
  const client = await connect(credential);
  const alive = async () => {
    try {
      await client.query('SELECT 1');
      return true;
    } catch {
      return false;
    }
  };
  return { alive, close: () => client.end() };
}

/** Every action that works, and what the session finds around it. */
async function mayDo(connect: Context['connect'], credential: Credential, count: number): Promise<readonly string[]> {
  const client = await connect(credential);
  const done: string[] = [];
  try {
    for (const action of actions(count)) {
      try {
        const { rows } = await client.query(action);
        done.push(`${action}: ${JSON.stringify(rows)}`);
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
      }
    }
  } finally {
    await client.end();
  }
  return done;
}

function actions(count: number): readonly string[] {
  return [
    'SELECT count(*) >= 0 AS ok FROM by_group',
    'INSERT INTO by_group VALUES (1)',
    'DELETE FROM by_group',
    'SELECT id, note FROM by_grant',
    'SELECT hidden FROM by_grant',
    "UPDATE by_grant SET note = ''",
    'SELECT * FROM by_policy',
    'INSERT INTO own VALUES (1)',
    'ALTER TABLE own ADD COLUMN more int',
    'ALTER TABLE own DROP COLUMN more',
    `CREATE TABLE room_${count}.fresh (id int)`,
    "SELECT pg_get_userbyid(relowner), relacl::text FROM pg_class WHERE relname = 'fresh' AND relnamespace = current_schema()::regnamespace",
    `DROP TABLE room_${count}.fresh`,
    'CREATE SCHEMA passing; DROP SCHEMA passing',
    'SHOW search_path',
    'SHOW statement_timeout',
    'SHOW app.note',
    'CREATE ROLE nobody_should',
    'SELECT * FROM pg_authid',
  ];
}

const snapshotQuery = `
  SELECT 'role' AS kind, to_jsonb(a)::text AS state FROM pg_authid a
  UNION ALL SELECT 'member', to_jsonb(m)::text FROM pg_auth_members m
  UNION ALL SELECT 'setting', to_jsonb(s)::text FROM pg_db_role_setting s
  UNION ALL SELECT 'class', c.oid || coalesce(c.relacl::text, '') || c.relowner FROM pg_class c WHERE c.oid >= 16384
  UNION ALL SELECT 'database', coalesce(d.datacl::text, '') || d.datdba FROM pg_database d
  ORDER BY 1, 2`;
