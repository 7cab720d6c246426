import { createHash } from 'node:crypto';
import { createConnection } from 'mysql2';
import { startMariadb } from '../../../local/mariadb.ts';
import { startMysql } from '../../../local/mysql/index.ts';
import type { MysqlFamilyOptions, MysqlFamilyServer } from '../../../local/mysql-family.ts';
import { addressOf, adminName, adminPassword, type RotationTarget } from '../target.ts';

const from = "'127.%'";

/** What the two servers do not share. */
interface Flavour {
  readonly name: 'mysql' | 'mariadb';
  start(options: MysqlFamilyOptions): Promise<MysqlFamilyServer>;
  /** The right to end sessions. */
  readonly endsSessions: string;
  /** What gives a login another password; `keep`: the one before goes on working. */
  change(login: string, password: string, keep: boolean): string;
}

const mysql: Flavour = {
  name: 'mysql',
  start: startMysql,
  endsSessions: 'CONNECTION_ADMIN',
  change: (login, password, keep) =>
    `ALTER USER ${login}@${from} IDENTIFIED BY '${password}'${keep ? ' RETAIN CURRENT PASSWORD' : ''}`,
};

const mariadb: Flavour = {
  name: 'mariadb',
  start: startMariadb,
  endsSessions: 'CONNECTION ADMIN',
  change: (login, password) =>
    `ALTER USER ${login}@${from} IDENTIFIED VIA mysql_native_password USING '${nativeHash(password)}'`,
};

export const startMysqlTarget = (): Promise<RotationTarget> => startFamilyTarget(mysql);
export const startMariadbTarget = (): Promise<RotationTarget> => startFamilyTarget(mariadb);

async function startFamilyTarget(flavour: Flavour): Promise<RotationTarget> {
  const server = await flavour.start({
    settings: ['--skip-name-resolve'],
    init: [
      'CREATE DATABASE shop;',
      `CREATE USER ${adminName}@${from} IDENTIFIED BY '${adminPassword}';`,
      `GRANT CREATE USER, PROCESS, ${flavour.endsSessions} ON *.* TO ${adminName}@${from};`,
      `GRANT SELECT ON mysql.* TO ${adminName}@${from};`,
      `GRANT SELECT, INSERT ON shop.* TO ${adminName}@${from} WITH GRANT OPTION;`,
    ],
  });
  const admin = (port: number) => addressOf('mysql', adminName, adminPassword, `${port}/mysql`);
  return {
    name: flavour.name,
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
    change: (url, login, password, keep) => session(url, flavour.change(login, password, keep)),
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
