import mssql from 'mssql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificates, makeCertificates } from '../../local/certificates.ts';
import { packetTypes, type SqlServer, startSqlServer } from '../../local/sql-server/index.ts';

const saPassword = 'Sa-Password-0001';
const token = 'entra-token-of-a-test';
let certificates: Certificates;
let server: SqlServer;
const wire: { type: number; text: string; encrypted: boolean }[] = [];

beforeAll(async () => {
  certificates = await makeCertificates({ hosts: ['127.0.0.1', 'localhost'] });
  server = await startSqlServer({
    saPassword,
    certificate: certificates,
    tokens: { [token]: 'keyturn-app' },
    onMessage: ({ type, data }, encrypted) => wire.push({ type, text: data.toString('utf16le'), encrypted }),
  });
  server.addDatabase('orders', { tables: [{ name: 'items', columns: ['id', 'total'] }] });
  server.addDatabase('tenants', { contained: true });
  await server.run('CREATE LOGIN [keyturn-app] FROM EXTERNAL PROVIDER');
});
afterAll(async () => server.close());

interface Who {
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly database?: string;
  readonly encrypt?: boolean | 'strict';
  readonly port?: number;
  readonly ca?: string;
}

async function connect(who: Who): Promise<mssql.ConnectionPool> {
  const authentication =
    who.token === undefined
      ? { type: 'default', options: { userName: who.user ?? 'sa', password: who.password ?? saPassword } }
      : { type: 'azure-active-directory-access-token', options: { token: who.token } };
  const numbers: number[] = [];
  const config: mssql.config = {
    server: 'localhost',
    port: who.port ?? server.port,
    database: who.database ?? 'master',
    pool: { max: 1, min: 0 },
    options: { cryptoCredentialsDetails: { ca: who.ca ?? certificates.ca } },
    beforeConnect: (driver) => void driver.on('errorMessage', (message) => numbers.push(message.number)),
  };
  Object.assign(config, { authentication });
  Object.assign(config.options ?? {}, { encrypt: who.encrypt ?? true, maxRetriesOnTransientErrors: 0 });
  try {
    return await new mssql.ConnectionPool(config).connect();
  } catch (error) {
    throw Object.assign(new Error(error instanceof Error ? error.message : 'failed'), { numbers, cause: error });
  }
}

async function as<Result>(who: Who, work: (pool: mssql.ConnectionPool) => Promise<Result>): Promise<Result> {
  const pool = await connect(who);
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}

const batch = (who: Who, text: string): Promise<mssql.IResult<Record<string, unknown>>> =>
  as(who, (pool) => pool.request().batch(text));

async function numberOf(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => 'no error',
    (error: unknown) =>
      typeof error === 'object' && error !== null && 'numbers' in error
        ? error.numbers
        : Reflect.get(Object(error), 'number'),
  );
}

describe('logging in with the real driver', () => {
  test('the password is checked, over TLS in the way of TDS 7.4 and of TDS 8', async () => {
    for (const encrypt of [true, 'strict'] as const) {
      const rows = await batch({ encrypt }, 'SELECT SUSER_SNAME() AS login, DB_NAME() AS db');
      expect(rows.recordset).toEqual([{ login: 'sa', db: 'master' }]);
      expect(await numberOf(connect({ encrypt, password: 'Wrong-Password-1' }))).toEqual([18456]);
    }
  });

  test('nothing but the PRELOGIN crosses the wire outside of TLS', async () => {
    wire.length = 0;
    await batch({}, 'SELECT 1 AS one');
    expect(wire.filter((message) => !message.encrypted).map((message) => message.type)).toEqual([
      packetTypes.prelogin,
      packetTypes.prelogin,
    ]);
    expect(wire.some((message) => message.type === packetTypes.login7)).toBe(true);
  });

  test('a certificate nobody vouches for ends the connection before the login', async () => {
    const other = await makeCertificates({ hosts: ['localhost'] });
    wire.length = 0;
    await expect(connect({ ca: other.ca })).rejects.toThrow(/certificate/i);
    expect(wire.some((message) => message.type === packetTypes.login7)).toBe(false);
  });

  test('a server that cannot encrypt gets no password from a client that wants encryption', async () => {
    const seen: number[] = [];
    const plain = await startSqlServer({ saPassword, onMessage: ({ type }) => seen.push(type) });
    await expect(connect({ port: plain.port })).rejects.toThrow(/did not negotiate encryption/);
    expect(seen).toEqual([packetTypes.prelogin]);
    await batch({ port: plain.port, encrypt: false }, 'SELECT 1 AS one');
    await plain.close();
  });

  test('a disabled login is 18470, an unknown one 18456, a database without a user 4060', async () => {
    await server.run(
      `CREATE LOGIN closed WITH PASSWORD = N'Pa55-word-shut'; CREATE LOGIN lone WITH PASSWORD = N'Pa55-word-unmapped'`,
    );
    await server.run('ALTER LOGIN closed DISABLE');
    expect(await numberOf(connect({ user: 'closed', password: 'Pa55-word-shut' }))).toEqual([18470]);
    expect(await numberOf(connect({ user: 'closed', password: 'wrong' }))).toEqual([18456]);
    expect(await numberOf(connect({ user: 'nobody', password: 'wrong' }))).toEqual([18456]);
    const lone = { user: 'lone', password: 'Pa55-word-unmapped' };
    expect(await numberOf(connect({ ...lone, database: 'orders' }))).toEqual([4060, 18456]);
  });

  test('an Entra token stands for its login, and no other token does', async () => {
    const rows = await batch({ token }, 'SELECT SUSER_SNAME() AS login');
    expect(rows.recordset).toEqual([{ login: 'keyturn-app' }]);
    expect(await numberOf(connect({ token: 'another' }))).toEqual([18456]);
  });

  test('a contained user logs in at its own database only', async () => {
    await server.run(`CREATE USER tenant WITH PASSWORD = N'Pa55-word-inside'`, 'tenants');
    const tenant = { user: 'tenant', password: 'Pa55-word-inside' };
    const rows = await batch({ ...tenant, database: 'tenants' }, 'SELECT DB_NAME() AS db, USER_NAME() AS name');
    expect(rows.recordset).toEqual([{ db: 'tenants', name: 'tenant' }]);
    expect(await numberOf(connect(tenant))).toEqual([18456]);
  });
});

describe('statements', () => {
  test('a password must be a literal: a parameter in its place is a syntax error', async () => {
    await server.run(`CREATE LOGIN literal WITH PASSWORD = N'Pa55-word-before'`);
    const withParameter = as({}, (pool) =>
      pool.request().input('p', 'Pa55-word-after').query('ALTER LOGIN literal WITH PASSWORD = @p'),
    );
    expect(await numberOf(withParameter)).toBe(102);
    await batch({}, `ALTER LOGIN [literal] WITH PASSWORD = N'Pa55-''word''-after'`);
    await batch({ user: 'LITERAL', password: "Pa55-'word'-after" }, 'SELECT 1 AS one');
  });

  test.each([
    ['SELECT name FROM sys.sql_logins ORDER BY name', 102],
    ['DROP DATABASE orders', 102],
    [`ALTER LOGIN sa WITH PASSWORD = N'x' HASHED`, 102],
    [`ALTER LOGIN sa WITH PASSWORD = N'Pa55-word-long' MUST_CHANGE`, 15099],
    [`ALTER LOGIN [no]]body WITH PASSWORD = N'x'`, 105],
    [`ALTER LOGIN [no]body] WITH PASSWORD = N'x'`, 102],
    [`SELECT N'open`, 105],
    ['SELECT nothing FROM sys.databases', 207],
    ['SELECT name FROM sys.nowhere', 208],
    ['SELECT @unbound', 137],
    ['SELECT LENGTHY(1)', 195],
    [`ALTER LOGIN nobody WITH PASSWORD = N'Pa55-word-long'`, 15151],
    [`CREATE LOGIN sa WITH PASSWORD = N'Pa55-word-long'`, 15025],
    [`CREATE LOGIN brief WITH PASSWORD = N'Pa5-'`, 15116],
    [`CREATE LOGIN simple WITH PASSWORD = N'onlylowercase'`, 15118],
    [`ALTER LOGIN sa WITH PASSWORD = N'Pa55-word-long' OLD_PASSWORD = N'wrong'`, 15211],
    [`CREATE USER x WITH PASSWORD = N'Pa55-word-long'`, 33233],
    ['USE nowhere', 911],
    ['KILL 9999', 6106],
    ['COMMIT TRANSACTION', 3902],
    [`THROW 50001, N'late', 3`, 50001],
  ])('%s gives error %i', async (text, number) => {
    expect(await numberOf(batch({}, text))).toBe(number);
  });

  test('a mistake anywhere in a batch means that none of it is done', async () => {
    expect(await numberOf(batch({}, `CREATE LOGIN half WITH PASSWORD = N'Pa55-word-long'; SELEC 1`))).toBe(102);
    expect((await batch({}, `SELECT name FROM sys.sql_logins WHERE name = N'half'`)).recordset).toEqual([]);
  });

  test('a literal without the N prefix loses what the code page does not hold', async () => {
    const rows = await batch({}, `SELECT 'žлü' AS narrow, N'žлü' AS wide`);
    expect(rows.recordset).toEqual([{ narrow: '??ü', wide: 'žлü' }]);
  });

  test('parameters of sp_executesql arrive by name, and a USE inside it ends with it', async () => {
    await as({}, async (pool) => {
      const sid = await pool.request().query(`SELECT sid FROM sys.sql_logins WHERE name = N'sa'`);
      const found = await pool
        .request()
        .input('sid', mssql.VarBinary(85), Reflect.get(sid.recordset[0] ?? {}, 'sid'))
        .input('kind', 'S')
        .query(
          'USE [orders]; SELECT name, principal_id, DB_NAME() AS db FROM sys.database_principals WHERE sid = @sid AND type = @kind',
        );
      expect(found.recordset).toEqual([{ name: 'dbo', principal_id: 1, db: 'orders' }]);
      expect((await pool.request().query('SELECT DB_NAME() AS db')).recordset).toEqual([{ db: 'master' }]);
    });
  });

  test('ALTER LOGIN is part of its transaction: the new password works after the commit, and not before', async () => {
    await server.run(`CREATE LOGIN careful WITH PASSWORD = N'Pa55-word-before'`);
    const before = { user: 'careful', password: 'Pa55-word-before' };
    const after = { user: 'careful', password: 'Pa55-word-after' };
    await as({}, async (pool) => {
      await pool.request().batch(`BEGIN TRANSACTION; ALTER LOGIN careful WITH PASSWORD = N'Pa55-word-after'`);
      expect(await numberOf(connect(after))).toEqual([18456]);
      await batch(before, 'SELECT 1 AS one');
      const waiting = batch({}, `SET LOCK_TIMEOUT 0; ALTER LOGIN careful DISABLE`);
      expect(await numberOf(waiting)).toBe(1222);
      await pool.request().batch('COMMIT TRANSACTION');
    });
    await batch(after, 'SELECT 1 AS one');
    expect(await numberOf(connect(before))).toEqual([18456]);
  });

  test('with XACT_ABORT an error undoes everything before it', async () => {
    const text = `SET XACT_ABORT ON; BEGIN TRANSACTION; CREATE LOGIN undone WITH PASSWORD = N'Pa55-word-long'; ALTER LOGIN nobody DISABLE; COMMIT TRANSACTION`;
    expect(await numberOf(batch({}, text))).toBe(15151);
    expect((await batch({}, `SELECT name FROM sys.sql_logins WHERE name = N'undone'`)).recordset).toEqual([]);
  });

  test('a statement the client cancels ends, and the connection goes on', async () => {
    await as({}, async (pool) => {
      const request = pool.request();
      const waiting = request.batch(`WAITFOR DELAY '00:01:00'`);
      await expect.poll(() => wire.some((message) => message.text.includes('00:01:00'))).toBe(true);
      request.cancel();
      await expect(waiting).rejects.toThrow(/cancel/i);
      expect((await pool.request().batch('SELECT 1 AS one')).recordset).toEqual([{ one: 1 }]);
    });
  });
});

describe('rights', () => {
  const app = { user: 'app', password: 'Pa55-word-of-it', database: 'orders' };
  beforeAll(async () => {
    await server.run(`CREATE LOGIN app WITH PASSWORD = N'Pa55-word-of-it'`);
    await server.run('CREATE USER app FOR LOGIN app', 'orders');
  });

  test('a login without ALTER ANY LOGIN changes its own password with the old one, and nobody else', async () => {
    await server.run(`CREATE LOGIN own WITH PASSWORD = N'Pa55-word-first'`);
    const own = { user: 'own', password: 'Pa55-word-first' };
    expect(await numberOf(batch(own, `ALTER LOGIN own WITH PASSWORD = N'Pa55-word-second'`))).toBe(15151);
    expect(await numberOf(batch(own, 'ALTER LOGIN app DISABLE'))).toBe(15151);
    expect(await numberOf(batch(own, `CREATE LOGIN more WITH PASSWORD = N'Pa55-word-more'`))).toBe(15247);
    await batch(own, `ALTER LOGIN own WITH PASSWORD = N'Pa55-word-second' OLD_PASSWORD = N'Pa55-word-first'`);
    await batch({ ...own, password: 'Pa55-word-second' }, 'SELECT 1 AS one');
  });

  test('a table is read by whom it was granted to, and the catalogue shows what one may see', async () => {
    expect(await numberOf(batch(app, 'SELECT id FROM dbo.items'))).toBe(229);
    await server.run('GRANT SELECT ON OBJECT::[dbo].[items] TO [app]', 'orders');
    expect((await batch(app, 'SELECT id FROM dbo.items')).recordset).toEqual([]);
    const logins = await batch(app, 'SELECT name FROM sys.sql_logins');
    expect(logins.recordset.map((row) => row['name'])).toEqual(['sa', 'app']);
  });

  test('a session survives DISABLE and dies by KILL, which wants its own right', async () => {
    const pool = await connect(app);
    await pool.request().batch('SELECT 1 AS one');
    await server.run('ALTER LOGIN app DISABLE');
    await pool.request().batch('SELECT 1 AS one');
    const rows = await batch({}, `SELECT session_id FROM sys.dm_exec_sessions WHERE original_login_name = N'app'`);
    const id = Number(rows.recordset[0]?.['session_id']);
    expect(await numberOf(pool.request().batch(`KILL ${id}`))).toBe(6102);
    await batch({}, `KILL ${id}`);
    await expect.poll(() => server.sessions.has(id)).toBe(false);
    await server.run('ALTER LOGIN app ENABLE');
    await pool.close();
  });
});

test('no line of the log holds a password or a statement', () => {
  expect(server.log.length).toBeGreaterThan(0);
  expect(server.log.join('\n')).not.toMatch(/Pa55|Password|ALTER|CREATE/);
});
