import mysql from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WatchedSecret } from '../../consumer/index.ts';
import { type RotatingMysqlPoolOptions, rotatingMysqlPool } from '../../consumer/mysql2.ts';
import { makeCertificates } from '../../local/certificates.ts';
import { startMariadb } from '../../local/mariadb.ts';
import type { MysqlFamilyServer } from '../../local/mysql-family.ts';
import { findSecrets } from '../canary.ts';
import { canary, closeLater, eventually, underLoad, vaultWith, watched } from './helpers.ts';

let server: MysqlFamilyServer;
let admin: mysql.Connection;

beforeAll(async () => {
  server = await startMariadb();
  admin = await mysql.createConnection({
    host: '127.0.0.1',
    port: server.port,
    user: 'root',
    password: server.rootPassword,
  });
  await admin.query('CREATE DATABASE app');
});

afterAll(async () => {
  await admin.end();
  await server.stop();
});

const passwords = { a: '', b: '' };

beforeEach(async () => {
  for (const login of ['a', 'b'] as const) {
    passwords[login] = canary(login);
    await admin.query(`CREATE OR REPLACE USER app_${login}@'%' IDENTIFIED BY '${passwords[login]}'`);
    await admin.query(`GRANT ALL ON app.* TO app_${login}@'%'`);
  }
});

const url = (login: string, password: string) => `mysql://app_${login}:${password}@127.0.0.1:${server.port}/app`;

async function poolOf(secret: WatchedSecret, options: Partial<RotatingMysqlPoolOptions> = {}) {
  const pool = await rotatingMysqlPool({ secret, options: { connectionLimit: 4 }, ...options });
  closeLater(() => pool.end());
  return pool;
}

async function sessionsOf(user: string): Promise<number> {
  const [rows] = await admin.query<mysql.RowDataPacket[]>(
    'SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = ?',
    [user],
  );
  return Number(rows[0]?.['n']);
}

describe('rotatingMysqlPool', () => {
  it('alternating-users under load: the pool moves to the other login, the old one is locked, and no query fails', async () => {
    const from = await vaultWith(url('a', passwords.a));
    const { secret, problems } = await watched(from);
    const pool = await poolOf(secret);
    const load = underLoad(() => pool.execute('SELECT ? AS n', [1]));
    let old = 'a';
    for (const login of ['b', 'a', 'b'] as const) {
      await load.more(50);
      await admin.query(`ALTER USER app_${login}@'%' IDENTIFIED BY '${passwords[login]}' ACCOUNT UNLOCK`);
      const version = await from.publish(url(login, passwords[login]));
      await secret.notify({ secret: from.name, version });
      await eventually(() => expect(pool.state).toMatchObject({ version, workingOnOld: 0 }));
      await eventually(async () => expect(await sessionsOf(`app_${old}`)).toBe(0));
      await admin.query(`ALTER USER app_${old}@'%' ACCOUNT LOCK`);
      old = login;
      await load.more(50);
    }
    const counts = await load.stop();
    expect(counts.failures).toEqual([]);
    expect(counts.queries).toBeGreaterThan(200);
    expect(problems).toEqual([]);
  });

  it('dual-password under load: both passwords, then the old one removed; no query fails', async () => {
    const from = await vaultWith(url('a', passwords.a));
    const { secret } = await watched(from);
    const pool = await poolOf(secret, { options: { connectionLimit: 4, maxIdle: 1, idleTimeout: 1 } });
    const load = underLoad(() => pool.query('SELECT 1'));
    const [next, hash] = [canary('next'), 'mysql_native_password'];
    await admin.query(
      `ALTER USER app_a@'%' IDENTIFIED VIA ${hash} USING PASSWORD('${passwords.a}') OR ${hash} USING PASSWORD('${next}')`,
    );
    await load.more(50);
    const version = await from.publish(url('a', next));
    await secret.notify({ secret: from.name, version });
    await eventually(() => expect(pool.state).toMatchObject({ version, workingOnOld: 0 }));
    await admin.query(`ALTER USER app_a@'%' IDENTIFIED VIA ${hash} USING PASSWORD('${next}')`);
    await load.more(50);
    expect((await load.stop()).failures).toEqual([]);
  });

  it('new connections that are refused read the vault once and are made again with the new version', async () => {
    const from = await vaultWith(url('a', passwords.a));
    const { secret } = await watched(from);
    const pool = await poolOf(secret);
    const next = canary('next');
    await admin.query(`ALTER USER app_a@'%' IDENTIFIED BY '${next}'`);
    await from.publish(url('a', next));
    const before = from.reads();
    await Promise.all(Array.from({ length: 4 }, () => pool.query('SELECT SLEEP(0.02)')));
    expect(from.reads() - before).toBe(1);
    expect(pool.state.version).toBe(from.versions[1]);
  });

  it('error 1045 of a statement is not taken for a refused login: the statement runs once', async () => {
    const from = await vaultWith(url('a', passwords.a));
    const { secret } = await watched(from);
    const pool = await poolOf(secret);
    await pool.query('CREATE OR REPLACE TABLE ran (n INT)');
    const before = from.reads();
    const statement = `BEGIN NOT ATOMIC INSERT INTO ran VALUES (1); SIGNAL SQLSTATE '28000' SET MYSQL_ERRNO = 1045; END`;
    await expect(pool.query(statement)).rejects.toMatchObject({ errno: 1045 });
    const [rows] = await pool.query<mysql.RowDataPacket[]>('SELECT COUNT(*) AS n FROM ran');
    expect(rows).toEqual([{ n: 1 }]);
    expect(from.reads()).toBe(before);
  });

  it('a connection taken before the rotation keeps its transaction, and holds the old pool until it is released', async () => {
    const from = await vaultWith(url('a', passwords.a));
    const { secret } = await watched(from);
    const pool = await poolOf(secret);
    await pool.query('CREATE OR REPLACE TABLE kept (n INT)');
    const connection = await pool.getConnection();
    await connection.beginTransaction();
    await connection.query('INSERT INTO kept VALUES (1)');
    const version = await from.publish(url('b', passwords.b));
    await secret.refresh();
    await eventually(() => expect(pool.state).toMatchObject({ version, workingOnOld: 1 }));
    await connection.commit();
    connection.release();
    await eventually(() => expect(pool.state.workingOnOld).toBe(0));
    await pool.transaction((own) => own.query('INSERT INTO kept VALUES (2)'));
    const failed = pool.transaction(async (own) => {
      await own.query('INSERT INTO kept VALUES (3)');
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    const [rows] = await pool.query<mysql.RowDataPacket[]>('SELECT n FROM kept ORDER BY n');
    expect(rows).toEqual([{ n: 1 }, { n: 2 }]);
    expect(pool.state.working).toBe(0);
  });

  it('a wrong password in the vault never takes over, and is not shown', async () => {
    const from = await vaultWith(url('a', passwords.a));
    const { secret, problems } = await watched(from);
    const pool = await poolOf(secret);
    await from.publish(url('b', 'canary-not-the-password'));
    await secret.refresh();
    await eventually(() => expect(problems.map((one) => one.code)).toContain('pool-unproven'));
    const [rows] = await pool.query<mysql.RowDataPacket[]>('SELECT CURRENT_USER() AS user');
    expect(rows).toEqual([{ user: 'app_a@%' }]);
    expect(findSecrets(problems, ['canary-not-the-password', passwords.a])).toEqual([]);
  });

  it('a value in JSON is understood, and after end() no session is left', async () => {
    const from = await vaultWith(
      JSON.stringify({
        host: '127.0.0.1',
        port: String(server.port),
        username: 'app_a',
        password: passwords.a,
        dbname: 'app',
      }),
    );
    const pool = await poolOf((await watched(from)).secret);
    await pool.query('SELECT 1');
    await pool.end();
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'closed' });
    await eventually(async () => expect(await sessionsOf('app_a')).toBe(0));
  });
});

describe('over TLS to an address', () => {
  const poolTo = async (hosts: readonly string[]) => {
    const certificates = await makeCertificates({ hosts });
    const encrypted = await startMariadb({
      tls: certificates,
      settings: ['--skip-name-resolve'],
      init: ["CREATE USER app@'127.%' IDENTIFIED BY 'password-over-tls';"],
    });
    closeLater(() => encrypted.stop());
    const from = await vaultWith(`mysql://app:password-over-tls@127.0.0.1:${encrypted.port}?sslmode=verify-full`);
    return poolOf((await watched(from)).secret, { options: { ssl: { ca: certificates.ca } } });
  };

  it('the certificate of that address is trusted', async () => {
    const pool = await poolTo(['127.0.0.1']);
    const [rows] = await pool.query<mysql.RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
    expect(rows[0]?.['Value']).not.toBe('');
  });

  it.each([['localhost'], ['127.0.0.2']])('a certificate for %s is refused', async (host) => {
    await expect(poolTo([host])).rejects.toMatchObject({ name: 'ConsumerError' });
  });
});
