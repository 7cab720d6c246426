/** Targets that the pages speak of: real servers (SQL Server: the stand-in), each with an admin and the login `orders_app` as new. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import type { Certificates } from '../../local/certificates.ts';
import { startMariadb } from '../../local/mariadb.ts';
import { startMysql } from '../../local/mysql/index.ts';
import type { MysqlFamilyServer } from '../../local/mysql-family.ts';
import { startPostgres } from '../../local/postgres.ts';
import { startRedis } from '../../local/redis.ts';
import { startSqlServer } from '../../local/sql-server/index.ts';

export const targetKinds = ['postgres', 'mysql', 'mariadb', 'redis', 'sql-server'] as const;
export type TargetKind = (typeof targetKinds)[number];

export interface Target {
  readonly rotator: string;
  readonly strategy: string;
  /** Value of the admin secret, and of orders-db in the form that is usual for it. */
  readonly admin: string;
  readonly value: string;
  /** What a person on call has in the environment for it. */
  readonly env: Readonly<Record<string, string>>;
  readonly appPassword: string;
  readonly ownerPassword: string;
  /** A statement of the owner, in the database orders where the target has databases. */
  run(statement: string): Promise<unknown>;
  /** Login and database of orders_app as on the first day; other logins of orders are gone. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const appPassword = 'First-passw0rd-of-orders-app';
const adminPassword = 'Passw0rd-of-the-rotation-admin';

/** `folder` is where the shell of a page runs. */
export function startTarget(kind: TargetKind, certificates: Certificates, folder: string): Promise<Target> {
  switch (kind) {
    case 'postgres':
      return postgres(certificates);
    case 'mysql':
      return mysqlFamily(startMysql, certificates, folder, 'caching_sha2_password');
    case 'mariadb':
      return mysqlFamily(startMariadb, certificates, folder, undefined);
    case 'redis':
      return redis(certificates);
    case 'sql-server':
      return sqlServer(certificates);
  }
}

async function postgres(certificates: Certificates): Promise<Target> {
  const server = await startPostgres({ tls: certificates });
  const run = async (database: string, ...statements: readonly string[]): Promise<void> => {
    const client = new Client({
      connectionString: server.adminUrl.replace(/postgres$/, database),
      ssl: { ca: certificates.ca },
    });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await run(
    'postgres',
    `CREATE ROLE rotation_admin LOGIN CREATEROLE PASSWORD '${adminPassword}'`,
    'CREATE DATABASE orders OWNER rotation_admin',
  );
  const url = (login: string, password: string, database: string) =>
    `postgres://${login}:${password}@127.0.0.1:${server.port}/${database}?sslmode=require`;
  const gone = ['orders_app_alt', 'orders_app', 'orders_role'].map(
    (name) =>
      `DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') THEN DROP OWNED BY ${name} CASCADE; DROP ROLE ${name}; END IF; END $$`,
  );
  return {
    ...{ rotator: 'postgres', strategy: 'alternating-users', appPassword, ownerPassword: server.adminPassword },
    run: (statement) => run('orders', statement),
    admin: url('rotation_admin', adminPassword, 'postgres'),
    value: url('orders_app', appPassword, 'orders'),
    env: {
      ADMIN: server.adminUrl,
      TARGET: `127.0.0.1:${server.port}`,
      PGHOSTADDR: '127.0.0.1',
      PGPORT: String(server.port),
      // The pages name no user where the system's own is taken.
      PGUSER: server.adminUser,
    },
    reset: () =>
      run(
        'orders',
        ...gone,
        'SET ROLE rotation_admin',
        `CREATE ROLE orders_app LOGIN PASSWORD '${appPassword}'`,
        'CREATE ROLE orders_role',
        'CREATE TABLE IF NOT EXISTS visits (id int)',
        'GRANT SELECT ON visits TO orders_app',
      ),
    close: server.close,
  };
}

async function mysqlFamily(
  start: (options: { readonly tls: Certificates; readonly init: readonly string[] }) => Promise<MysqlFamilyServer>,
  certificates: Certificates,
  folder: string,
  plugin: string | undefined,
): Promise<Target> {
  const owner = "owner@'127.0.0.1'";
  const server = await start({
    tls: certificates,
    init: [
      `CREATE USER ${owner} IDENTIFIED BY '${adminPassword}';`,
      `GRANT ALL ON *.* TO ${owner} WITH GRANT OPTION;`,
      'CREATE DATABASE orders;',
      `CREATE USER rotation_admin@'127.%' IDENTIFIED BY '${adminPassword}';`,
      "GRANT CREATE USER, PROCESS ON *.* TO rotation_admin@'127.%';",
      "GRANT SELECT ON mysql.* TO rotation_admin@'127.%';",
      "GRANT SELECT ON orders.* TO rotation_admin@'127.%' WITH GRANT OPTION;",
    ],
  });
  const file = plugin === undefined ? 'mariadb.cnf' : 'mysql.cnf';
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, certificates.ca);
  const lines = [
    '[client]',
    'host=127.0.0.1',
    `port=${server.port}`,
    'user=owner',
    `password=${adminPassword}`,
    `ssl-ca=${ca}`,
  ];
  await writeFile(join(folder, file), `${lines.join('\n')}\n`);
  const url = (login: string, password: string, path: string) =>
    `mysql://${login}:${password}@127.0.0.1:${server.port}${path}`;
  const asOwner = async (statement: string): Promise<void> => {
    const connection = await createConnection({
      ...{ host: '127.0.0.1', port: server.port, user: 'owner', password: adminPassword },
      ssl: { ca: certificates.ca },
    });
    await connection.query(statement).finally(() => connection.end());
  };
  return {
    ...{ rotator: 'mysql', strategy: 'dual-password', appPassword, ownerPassword: adminPassword },
    run: asOwner,
    admin: url('rotation_admin', adminPassword, ''),
    value: url('orders_app', appPassword, '/orders'),
    env: { PAGES_ADMIN_CNF: join(folder, file) },
    async reset() {
      const logins = ['orders_app', 'orders_app_alt'].map((name) => `${name}@'127.%'`);
      for (const login of logins) await asOwner(`DROP USER IF EXISTS ${login}`);
      for (const login of logins) await asOwner(`CREATE USER ${login} IDENTIFIED BY '${appPassword}'`);
      for (const login of logins) await asOwner(`GRANT SELECT ON orders.* TO ${login}`);
      await asOwner("ALTER USER orders_app_alt@'127.%' ACCOUNT LOCK");
    },
    close: server.stop,
  };
}

async function redis(certificates: Certificates): Promise<Target> {
  const rules =
    'resetchannels -@all +info +acl|getuser +acl|setuser +acl|save +acl|dryrun +config|get +config|set +config|rewrite +client|id +client|list +client|kill +cluster|nodes';
  const server = await startRedis({
    tls: certificates,
    acl: [
      'user default off',
      `user owner on >${adminPassword} ~* &* +@all`,
      `user rotation-admin on >${adminPassword} ${rules}`,
      `user orders_app on >${appPassword} ~* &* +@all -@admin -@dangerous`,
    ],
  });
  const url = (login: string, password: string) => `rediss://${login}:${password}@127.0.0.1:${server.port}`;
  const asOwner = async (statement: string): Promise<void> => {
    const [name = '', ...words] = statement.split(' ');
    const client = new Redis(server.port, '127.0.0.1', {
      username: 'owner',
      password: adminPassword,
      tls: { ca: certificates.ca },
    });
    await client.call(name, ...words).finally(() => client.disconnect());
  };
  return {
    ...{ rotator: 'redis', strategy: 'dual-password', appPassword, ownerPassword: adminPassword },
    run: asOwner,
    admin: url('rotation-admin', adminPassword),
    value: url('orders_app', appPassword),
    env: { NODE: '127.0.0.1', NODE_PORT: String(server.port), REDISCLI_AUTH: adminPassword },
    reset: () => asOwner(`ACL SETUSER orders_app on resetpass >${appPassword}`),
    close: server.stop,
  };
}

async function sqlServer(certificates: Certificates): Promise<Target> {
  const server = await startSqlServer({ saPassword: adminPassword, certificate: certificates });
  server.addDatabase('orders', { tables: [{ name: 'visits', columns: ['id'] }] });
  await server.run(`CREATE LOGIN rotation_admin WITH PASSWORD = N'${adminPassword}'`);
  await server.run(
    'GRANT ALTER ANY LOGIN, VIEW ANY DEFINITION, VIEW SERVER STATE, ALTER ANY CONNECTION TO rotation_admin',
  );
  await server.run(
    'CREATE USER rotation_admin FOR LOGIN rotation_admin; ALTER ROLE db_owner ADD MEMBER rotation_admin',
    'orders',
  );
  for (const name of ['orders_app', 'orders_app_alt']) {
    await server.run(`CREATE LOGIN ${name} WITH PASSWORD = N'${appPassword}'`);
    await server.run(`CREATE USER ${name} FOR LOGIN ${name}; ALTER ROLE db_datareader ADD MEMBER ${name}`, 'orders');
  }
  const at = `Server=127.0.0.1,${server.port}`;
  return {
    ...{ rotator: 'sql-server', strategy: 'alternating-users', appPassword, ownerPassword: adminPassword },
    run: (statement) => server.run(statement),
    admin: `${at};User ID=rotation_admin;Password=${adminPassword}`,
    value: `${at};Database=orders;User ID=orders_app;Password=${appPassword}`,
    env: {
      ...{ SERVER: 'orders-sql.database.windows.net', ADMIN_LOGIN: 'sa', SQLCMDPASSWORD: adminPassword },
      ...{ PAGES_SQL_PORT: String(server.port), PAGES_SQL_PASSWORD: adminPassword },
    },
    async reset() {
      await server.run(`ALTER LOGIN orders_app WITH PASSWORD = N'${appPassword}'`);
      await server.run('ALTER LOGIN orders_app ENABLE');
      await server.run('ALTER LOGIN orders_app_alt DISABLE');
    },
    close: server.close,
  };
}
