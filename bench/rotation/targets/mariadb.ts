import { createHash } from 'node:crypto';
import { createConnection } from 'mysql2';
import { startMariadb } from '../../../local/mariadb.ts';
import { addressOf, adminName, adminPassword, type RotationTarget } from '../target.ts';

const from = "'127.%'";

export async function startMariadbTarget(): Promise<RotationTarget> {
  const server = await startMariadb({
    settings: ['--skip-name-resolve'],
    init: [
      'CREATE DATABASE shop;',
      `CREATE USER ${adminName}@${from} IDENTIFIED BY '${adminPassword}';`,
      `GRANT CREATE USER, PROCESS, CONNECTION ADMIN ON *.* TO ${adminName}@${from};`,
      `GRANT SELECT ON mysql.* TO ${adminName}@${from};`,
      `GRANT SELECT, INSERT ON shop.* TO ${adminName}@${from} WITH GRANT OPTION;`,
    ],
  });
  const admin = (port: number) => addressOf('mysql', adminName, adminPassword, `${port}/mysql`);
  return {
    name: 'mariadb',
    rotator: 'mysql',
    strategies: ['dual-password', 'alternating-users', 'single-user'],
    port: server.port,
    admin,
    async addLogin(login, password, port) {
      const own = new URL(admin(server.port));
      await session(own, `CREATE USER ${login}@${from} IDENTIFIED BY '${password}'`);
      await session(own, `GRANT SELECT, INSERT ON shop.* TO ${login}@${from}`);
      return addressOf('mysql', login, password, `${port}/shop`);
    },
    change: (url, login, password) =>
      session(url, `ALTER USER ${login}@${from} IDENTIFIED VIA mysql_native_password USING '${nativeHash(password)}'`),
    enter: (value) => session(value),
    close: () => server.stop(),
  };
}

function nativeHash(password: string): string {
  const once = createHash('sha1').update(password).digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}

async function session(url: URL, statement?: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const connection = createConnection({
    host: url.hostname,
    port: Number(url.port),
    user: url.username,
    password: url.password,
    database: url.pathname.slice(1),
  });
  const done = (error: unknown): void => (error === null || error === undefined ? resolve() : reject(error));
  connection.on('error', done);
  connection.connect((error) => {
    if (error !== null || statement === undefined) done(error);
    else connection.query(statement, done);
  });
  try {
    await promise;
  } finally {
    connection.destroy();
  }
}
