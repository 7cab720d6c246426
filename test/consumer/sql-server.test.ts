import mssql from 'mssql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WatchedSecret } from '../../consumer/index.ts';
import { type RotatingMssqlPoolOptions, rotatingMssqlPool } from '../../consumer/mssql.ts';
import { makeCertificates } from '../../local/certificates.ts';
import { type SqlServer, startSqlServer } from '../../local/sql-server/index.ts';
import { findSecrets } from '../canary.ts';
import { acknowledgementServer, closeLater, eventually, underLoad, vaultWith, watched } from './helpers.ts';

let server: SqlServer;
let ca = '';

beforeAll(async () => {
  const certificates = await makeCertificates({ hosts: ['127.0.0.1', 'localhost'] });
  ca = certificates.ca;
  server = await startSqlServer({ saPassword: 'Sa-Password-0001', certificate: certificates });
});

afterAll(() => server.close());

const passwords = { a: '', b: '' };
let run = 0;

beforeEach(async () => {
  run += 1;
  for (const login of ['a', 'b'] as const) {
    // Rules for passwords of SQL Server want capitals and digits.
    passwords[login] = `Canary-${login}-${run}-0aA`;
    await server.run(`CREATE LOGIN [${nameOf(login)}] WITH PASSWORD = N'${passwords[login]}'`);
  }
});

const nameOf = (login: 'a' | 'b') => `app_${login}_${run}`;

function connectionString(login: 'a' | 'b', password = passwords[login]): string {
  return `Server=tcp:localhost,${server.port};Database=master;User ID=${nameOf(login)};Password=${password};Encrypt=True`;
}

async function poolOf(secret: WatchedSecret, options: Partial<RotatingMssqlPoolOptions> = {}) {
  const pool = await rotatingMssqlPool({ secret, options: base(), ...options });
  closeLater(() => pool.close());
  return pool;
}

const base = () => ({ pool: { max: 4 }, options: { cryptoCredentialsDetails: { ca } } });

const loginNow = 'SELECT SUSER_SNAME() AS login';

function sessionsOf(login: string): number {
  return [...server.sessions.values()].filter((session) => session.loginName === login).length;
}

describe('rotatingMssqlPool', () => {
  it('alternating-users under load: the pool moves to the other login, the old one is disabled, and no request fails', async () => {
    const from = await vaultWith(connectionString('a'));
    const { secret, problems } = await watched(from);
    const pool = await poolOf(secret);
    const load = underLoad(() => pool.request().batch(loginNow));
    let old: 'a' | 'b' = 'a';
    for (const login of ['b', 'a', 'b'] as const) {
      await load.more(30);
      await server.run(`ALTER LOGIN [${nameOf(login)}] ENABLE`);
      const version = await from.publish(connectionString(login));
      await secret.notify({ secret: from.name, version });
      await eventually(() => expect(pool.state).toMatchObject({ version, workingOnOld: 0 }));
      await eventually(() => expect(sessionsOf(nameOf(old))).toBe(0));
      await server.run(`ALTER LOGIN [${nameOf(old)}] DISABLE`);
      old = login;
      await load.more(30);
    }
    expect((await load.stop()).failures).toEqual([]);
    expect(problems).toEqual([]);
    expect((await pool.batch<{ login: string }>(loginNow)).recordset).toEqual([{ login: nameOf('b') }]);
  });

  it('new connections that are refused read the vault once and are made again with the new version', async () => {
    const from = await vaultWith(connectionString('a'));
    const { secret } = await watched(from);
    const pool = await poolOf(secret);
    const next = `Canary-next-${run}-0aA`;
    await server.run(`ALTER LOGIN [${nameOf('a')}] WITH PASSWORD = N'${next}'`);
    await from.publish(connectionString('a', next));
    const before = from.reads();
    const results = await Promise.all(Array.from({ length: 4 }, () => pool.request().batch(loginNow)));
    expect(results.map((result) => result.recordset)).toEqual(Array(4).fill([{ login: nameOf('a') }]));
    expect(from.reads() - before).toBe(1);
    expect(pool.state.version).toBe(from.versions[1]);
  });

  it('a transaction keeps its login and holds the acknowledgement back until it is committed', async () => {
    const keyturn = await acknowledgementServer();
    const from = await vaultWith(connectionString('a'));
    const { secret } = await watched(from, { acknowledge: { api: keyturn.api, key: 'k' } });
    const pool = await poolOf(secret);
    const transaction = await pool.transaction().begin();
    const version = await from.publish(connectionString('b'));
    await secret.refresh();
    await eventually(() => expect(pool.state).toMatchObject({ version, workingOnOld: 1 }));
    const inside = await transaction.request().batch(loginNow);
    expect(inside.recordset).toEqual([{ login: nameOf('a') }]);
    expect(keyturn.calls.filter((call) => call.path.includes(version))).toEqual([]);
    await transaction.commit();
    await eventually(() => expect(keyturn.calls.filter((call) => call.path.includes(version))).toHaveLength(1));
    expect(sessionsOf(nameOf('a'))).toBe(0);
  });

  it('a transaction that is rolled back, or used before it began, holds nothing', async () => {
    const from = await vaultWith(connectionString('a'));
    const pool = await poolOf((await watched(from)).secret);
    expect(() => pool.transaction().request()).toThrow('begin()');
    const transaction = await pool.transaction().begin();
    await transaction.rollback();
    await expect(transaction.commit()).rejects.toThrow();
    expect(pool.state.working).toBe(0);
  });

  it('parameters are sent with each run of a request', async () => {
    const from = await vaultWith(connectionString('a'));
    const pool = await poolOf((await watched(from)).secret);
    const request = pool.request().input('login', mssql.NVarChar, nameOf('a'));
    const command = 'SELECT name FROM sys.sql_logins WHERE name = @login';
    for (let time = 0; time < 2; time += 1) {
      expect((await request.query(command)).recordset).toEqual([{ name: nameOf('a') }]);
    }
    const tagged = await pool.query<{ name: string }>`SELECT name FROM sys.sql_logins WHERE name = ${nameOf('a')}`;
    expect(tagged.recordset).toEqual([{ name: nameOf('a') }]);
  });

  it('a wrong password in the vault never takes over, and is not shown', async () => {
    const from = await vaultWith(connectionString('a'));
    const { secret, problems } = await watched(from);
    const pool = await poolOf(secret);
    await from.publish(connectionString('b', 'Canary-not-the-password-0'));
    await secret.refresh();
    await eventually(() => expect(problems.map((one) => one.code)).toContain('pool-unproven'));
    expect((await pool.batch(loginNow)).recordset).toEqual([{ login: nameOf('a') }]);
    expect(findSecrets(problems, ['Canary-not-the-password-0', passwords.a])).toEqual([]);
  });

  it.each([
    [
      'JSON',
      () =>
        JSON.stringify({
          server: 'localhost',
          port: server.port,
          user: nameOf('a'),
          password: passwords.a,
          encrypt: true,
        }),
    ],
    ['a URI', () => `mssql://${nameOf('a')}:${passwords.a}@localhost:${server.port}/master?encrypt=true`],
  ])('a value in the form of %s is understood', async (_form, value) => {
    const from = await vaultWith(value());
    const pool = await poolOf((await watched(from)).secret);
    expect((await pool.batch(loginNow)).recordset).toEqual([{ login: nameOf('a') }]);
  });

  it('after close() no session is left, and requests are refused as closed', async () => {
    const from = await vaultWith(connectionString('a'));
    const pool = await poolOf((await watched(from)).secret);
    await pool.batch(loginNow);
    await pool.close();
    await expect(pool.batch(loginNow)).rejects.toMatchObject({ code: 'closed' });
    await eventually(() => expect(sessionsOf(nameOf('a'))).toBe(0));
  });
});
