/** What Microsoft's reference says of logins, databases and permissions, and of Azure SQL Database, as the stand-in has it. */
import mssql from 'mssql';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Certificates, makeCertificates } from '../../local/certificates.ts';
import { SqlError, type SqlServer, startSqlServer } from '../../local/sql-server/index.ts';
import { LoginMemory } from '../../local/sql-server/login-memory.ts';
import { answerRequest } from '../../local/sql-server/requests.ts';
import type { Session } from '../../local/sql-server/sql/context.ts';
import { SqlEngine } from '../../local/sql-server/sql/engine.ts';
import { newServer } from '../../local/sql-server/state.ts';

const saPassword = 'Sa-Password-0001';
let certificates: Certificates;
let server: SqlServer;
let azure: SqlServer;
let clockMs = 0;
const now = () => new Date(Date.now() + clockMs);

beforeAll(async () => {
  certificates = await makeCertificates({ hosts: ['127.0.0.1', 'localhost'] });
  const shared = { saPassword, certificate: certificates, now };
  server = await startSqlServer({ ...shared, lockoutThreshold: 3, passwordMaxAgeDays: 42 });
  azure = await startSqlServer({ ...shared, azure: true, loginCacheMs: 60_000 });
  for (const one of [server, azure]) {
    one.addDatabase('orders', {
      tables: [{ name: 'items', columns: ['id', 'note'] }],
      securables: [
        { kind: 'type', name: 'money_list' },
        { kind: 'certificate', name: 'signing' },
        { kind: 'symmetric key', name: 'cards' },
        { kind: 'asymmetric key', name: 'wrapping' },
        { kind: 'assembly', name: 'geometry' },
      ],
    });
  }
});
afterEach(() => {
  clockMs = 0;
  server.failLogins(undefined);
});
afterAll(async () => {
  await server.close();
  await azure.close();
});

interface Who {
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly encrypt?: boolean | 'strict';
  readonly minVersion?: 'TLSv1.3';
}

/** Rows of a batch, or the numbers of the errors that came instead. */
async function ask(one: SqlServer, who: Who, text = 'SELECT 1 AS one'): Promise<unknown> {
  const numbers: number[] = [];
  const { minVersion, encrypt = true, user = 'sa', password = saPassword, database } = who;
  const config: mssql.config = {
    server: 'localhost',
    port: one.port,
    user,
    password,
    ...(database === undefined ? {} : { database }),
    pool: { max: 1, min: 0 },
    options: {
      maxRetriesOnTransientErrors: 0,
      cryptoCredentialsDetails: { ca: certificates.ca, ...(minVersion === undefined ? {} : { minVersion }) },
    },
    beforeConnect: (driver) => void driver.on('errorMessage', (message) => numbers.push(message.number)),
  };
  Object.assign(config.options ?? {}, { encrypt });
  const pool = new mssql.ConnectionPool(config);
  try {
    await pool.connect();
    const result: mssql.IResult<Record<string, unknown>> = await pool.request().batch(text);
    return result.recordset ?? [];
  } catch (error) {
    if (numbers.length > 0) return [...new Set(numbers)];
    return error instanceof Error ? error.message : error;
  } finally {
    await pool.close();
  }
}

describe('SQL Server', () => {
  test('a session of a login says that master knows its password: authenticating_database_id is 1', async () => {
    const rows = await ask(
      server,
      {},
      'SELECT authenticating_database_id AS id FROM sys.dm_exec_sessions WHERE session_id = @@SPID',
    );
    expect(rows).toEqual([{ id: 1 }]);
  });

  test('a login whose default database is not available gets 4064 before 18456, and 4060 when it asks for one by name', async () => {
    await server.run(`CREATE LOGIN homeless WITH PASSWORD = N'Pa55-word-long', DEFAULT_DATABASE = orders`);
    const homeless = { user: 'homeless', password: 'Pa55-word-long' };
    expect(await ask(server, homeless)).toEqual([4064, 18456]);
    expect(await ask(server, { ...homeless, database: 'orders' })).toEqual([4060, 18456]);
    expect(await ask(server, { ...homeless, database: 'master' })).toEqual([{ one: 1 }]);
  });

  test('a login is locked out after so many wrong passwords, also for the right one, until UNLOCK', async () => {
    await server.run(`CREATE LOGIN clumsy WITH PASSWORD = N'Pa55-word-long'`);
    const clumsy = { user: 'clumsy', password: 'Pa55-word-long' };
    for (let count = 0; count < 3; count += 1) {
      expect(await ask(server, { ...clumsy, password: 'wrong' })).toEqual([18456]);
    }
    expect(await ask(server, clumsy)).toEqual([18486]);
    await server.run(`ALTER LOGIN clumsy WITH PASSWORD = N'Pa55-word-next'`);
    expect(await ask(server, { ...clumsy, password: 'Pa55-word-next' })).toEqual([18486]);
    await server.run(`ALTER LOGIN clumsy WITH PASSWORD = N'Pa55-word-last' UNLOCK`);
    expect(await ask(server, { ...clumsy, password: 'Pa55-word-last' })).toEqual([{ one: 1 }]);
  });

  test('a login whose policy is not checked is never locked', async () => {
    await server.run(`CREATE LOGIN careless WITH PASSWORD = N'x', CHECK_POLICY = OFF`);
    for (let count = 0; count < 5; count += 1) await ask(server, { user: 'careless', password: 'wrong' });
    expect(await ask(server, { user: 'careless', password: 'x' })).toEqual([{ one: 1 }]);
  });

  test('a password that expired is 18487, one that must be changed 18488, and a new one heals both', async () => {
    const password = 'Pa55-word-long';
    await server.run(`CREATE LOGIN old WITH PASSWORD = N'${password}', CHECK_EXPIRATION = ON`);
    await server.run(`CREATE LOGIN young WITH PASSWORD = N'${password}' MUST_CHANGE, CHECK_EXPIRATION = ON`);
    clockMs = 43 * 86_400_000;
    expect(await ask(server, { user: 'old', password })).toEqual([18487]);
    expect(await ask(server, { user: 'old', password: 'wrong' })).toEqual([18456]);
    expect(await ask(server, { user: 'young', password })).toEqual([18488]);
    for (const user of ['old', 'young']) {
      await server.run(`ALTER LOGIN ${user} WITH PASSWORD = N'Pa55-word-next'`);
      expect(await ask(server, { user, password: 'Pa55-word-next' })).toEqual([{ one: 1 }]);
    }
  });

  test('a read-only database refuses changes with 3906 and reads on', async () => {
    server.setDatabase('orders', { readOnly: true });
    expect(await ask(server, { database: 'orders' }, 'CREATE ROLE late')).toEqual([3906]);
    expect(await ask(server, {}, `SELECT is_read_only AS ro FROM sys.databases WHERE name = N'orders'`)).toEqual([
      { ro: true },
    ]);
    server.setDatabase('orders', { readOnly: false });
  });

  test('without VIEW ANY DATABASE a login sees master, tempdb and the database it is in', async () => {
    await server.run(`CREATE LOGIN narrow WITH PASSWORD = N'Pa55-word-long'; DENY VIEW ANY DATABASE TO narrow`);
    await server.run('CREATE USER narrow FOR LOGIN narrow', 'orders');
    const narrow = { user: 'narrow', password: 'Pa55-word-long' };
    const names = 'SELECT name FROM sys.databases';
    expect(await ask(server, narrow, names)).toEqual([{ name: 'master' }, { name: 'tempdb' }]);
    const here = await ask(server, { ...narrow, database: 'orders' }, names);
    expect(here).toEqual([{ name: 'master' }, { name: 'tempdb' }, { name: 'orders' }]);
  });

  test('a column taken out of what its table grants is a permission of its own, in state R', async () => {
    await server.run(
      'CREATE USER reader WITHOUT LOGIN; GRANT SELECT ON items TO reader; REVOKE SELECT ON items (note) FROM reader',
      'orders',
    );
    const rows = `SELECT p.minor_id AS c, p.state AS state FROM sys.database_permissions AS p
      JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
      WHERE u.name = N'reader' AND p.permission_name = N'SELECT'`;
    expect(await ask(server, { database: 'orders' }, rows)).toEqual([
      { c: 0, state: 'G' },
      { c: 2, state: 'R' },
    ]);
    await server.run('REVOKE SELECT ON items FROM reader; REVOKE SELECT ON items (note) FROM reader', 'orders');
    expect(await ask(server, { database: 'orders' }, rows)).toEqual([]);
  });

  test.each([
    ['TYPE::dbo.money_list', 6, 'EXECUTE', 'sys.types', 'user_type_id'],
    ['CERTIFICATE::signing', 25, 'CONTROL', 'sys.certificates', 'certificate_id'],
    ['SYMMETRIC KEY::cards', 24, 'CONTROL', 'sys.symmetric_keys', 'symmetric_key_id'],
    ['ASYMMETRIC KEY::wrapping', 26, 'CONTROL', 'sys.asymmetric_keys', 'asymmetric_key_id'],
    ['ASSEMBLY::geometry', 5, 'EXECUTE', 'sys.assemblies', 'assembly_id'],
    ['SCHEMA::dbo', 3, 'SELECT', 'sys.schemas', 'schema_id'],
  ])('a permission on %s has class %i and the id of what it is on', async (on, number, permission, view, id) => {
    const user = `holder_${number}`;
    await server.run(`CREATE USER ${user} WITHOUT LOGIN; GRANT ${permission} ON ${on} TO ${user}`, 'orders');
    const rows = `SELECT p.class AS class, s.name AS name FROM sys.database_permissions AS p
      JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
      JOIN ${view} AS s ON s.${id} = p.major_id WHERE u.name = N'${user}' AND p.class = ${number}`;
    expect(await ask(server, { database: 'orders' }, rows)).toEqual([
      { class: number, name: on.split(/::|\./).at(-1) },
    ]);
  });

  test('a user whose login was made anew is orphaned until ALTER USER gives it back', async () => {
    await server.run(`CREATE LOGIN lost WITH PASSWORD = N'Pa55-word-long'`);
    await server.run('CREATE USER lost FOR LOGIN lost', 'orders');
    await server.run(`DROP LOGIN lost; CREATE LOGIN lost WITH PASSWORD = N'Pa55-word-long'`);
    const lost = { user: 'lost', password: 'Pa55-word-long', database: 'orders' };
    expect(await ask(server, lost)).toEqual([4060, 18456]);
    const owner = `SELECT SUSER_SNAME(sid) AS login FROM sys.database_principals WHERE name = N'lost'`;
    expect(await ask(server, { database: 'orders' }, owner)).toEqual([{ login: null }]);
    await server.run('ALTER USER lost WITH LOGIN = lost', 'orders');
    expect(await ask(server, lost)).toEqual([{ one: 1 }]);
  });

  test('a user of a login has no language of its own', async () => {
    await server.run(`CREATE LOGIN speaker WITH PASSWORD = N'Pa55-word-long'`);
    const text = 'CREATE USER speaker FOR LOGIN speaker WITH DEFAULT_SCHEMA = dbo, DEFAULT_LANGUAGE = Deutsch';
    expect(await ask(server, { database: 'orders' }, text)).toEqual([102]);
  });

  test('a sysadmin, and whoever was granted CONTROL SERVER, is changed with CONTROL SERVER alone', async () => {
    await server.run(`CREATE LOGIN clerk WITH PASSWORD = N'Pa55-word-long'; GRANT ALTER ANY LOGIN TO clerk`);
    await server.run(`CREATE LOGIN captain WITH PASSWORD = N'Pa55-word-long'; GRANT CONTROL SERVER TO captain`);
    for (const login of ['captain', 'sa']) {
      const text = `ALTER LOGIN ${login} WITH PASSWORD = N'Pa55-word-next'`;
      expect(await ask(server, { user: 'clerk', password: 'Pa55-word-long' }, text)).toEqual([15151]);
    }
  });

  test('inside TDS 7 there is no TLS 1.3; TDS 8 takes it', async () => {
    expect(await ask(server, { minVersion: 'TLSv1.3' })).toMatch(/version|protocol/i);
    expect(await ask(server, { minVersion: 'TLSv1.3', encrypt: 'strict' })).toEqual([{ one: 1 }]);
  });

  test('EXEC runs its text as a batch of its own, and a USE in it ends with it', async () => {
    expect(await ask(server, {}, `EXEC (N'SELECT N''it''''s'' AS word')`)).toEqual([{ word: "it's" }]);
    expect(await ask(server, {}, `EXECUTE (N'USE orders'); SELECT DB_NAME() AS db`)).toEqual([{ db: 'master' }]);
    expect(await ask(server, {}, `EXEC (N'SELEC 1')`)).toEqual([102]);
  });

  test('a server in trouble says so to every login', async () => {
    server.failLogins(new SqlError(18401, 'Server is in script upgrade mode.'));
    expect(await ask(server, {})).toEqual([18401]);
  });
});

describe('Azure SQL Database', () => {
  const master = { database: 'master' };
  const orders = { database: 'orders' };

  test.each([
    [`SET XACT_ABORT ON; CREATE LOGIN crowd WITH PASSWORD = N'Pa55-word-long'`],
    [`IF 1 = 1 BEGIN ALTER LOGIN sa ENABLE; END`],
    [`DROP LOGIN nobody; SELECT 1 AS one`],
  ])('%s shares its batch, which is 40530, and none of it is done', async (text) => {
    expect(await ask(azure, master, text)).toEqual([40530]);
    expect(await ask(azure, master, `SELECT name FROM sys.sql_logins WHERE name = N'crowd'`)).toEqual([]);
  });

  test('a login statement in EXEC is the only one of its batch', async () => {
    const text = `SET XACT_ABORT ON; IF 1 = 1 EXEC (N'CREATE LOGIN lonely WITH PASSWORD = N''Pa55-word-long''')`;
    expect(await ask(azure, master, text)).toEqual([]);
    expect(await ask(azure, { ...master, user: 'lonely', password: 'Pa55-word-long' })).toEqual([{ one: 1 }]);
  });

  test.each(['DEFAULT_DATABASE = orders', 'CHECK_POLICY = OFF', 'DEFAULT_LANGUAGE = Deutsch'])(
    'CREATE LOGIN takes no %s',
    async (option) => {
      expect(await ask(azure, master, `CREATE LOGIN x WITH PASSWORD = N'Pa55-word-long', ${option}`)).toEqual([40517]);
    },
  );

  test('UNLOCK is not in its grammar', async () => {
    expect(await ask(azure, master, `ALTER LOGIN sa WITH PASSWORD = N'${saPassword}' UNLOCK`)).toEqual([40517]);
  });

  test('the SID of a login has 32 bytes', async () => {
    await azure.run(`CREATE LOGIN longsid WITH PASSWORD = N'Pa55-word-long'`);
    const rows = await ask(azure, master, `SELECT sid FROM sys.sql_logins WHERE name = N'longsid'`);
    expect(rows).toEqual([{ sid: expect.toSatisfy((sid: unknown) => Buffer.isBuffer(sid) && sid.length === 32) }]);
  });

  test('a database goes by its copy of a login: after a change the old password is taken and the new one is not, until the copy is renewed', async () => {
    await azure.run(`CREATE LOGIN copied WITH PASSWORD = N'Pa55-word-long'`);
    await azure.run('CREATE USER copied FOR LOGIN copied', 'orders');
    const [before, after] = ['Pa55-word-long', 'Pa55-word-next'].map((password) => ({
      user: 'copied',
      password,
      ...orders,
    }));
    expect(await ask(azure, { ...before })).toEqual([{ one: 1 }]);
    await azure.run(`ALTER LOGIN copied WITH PASSWORD = N'Pa55-word-next'`);
    expect(await ask(azure, { ...before })).toEqual([{ one: 1 }]);
    expect(await ask(azure, { ...after })).toEqual([18456]);
    expect(await ask(azure, { ...after, ...master })).toEqual([{ one: 1 }]);
    clockMs = 61_000;
    expect(await ask(azure, { ...after })).toEqual([{ one: 1 }]);
    expect(await ask(azure, { ...before })).toEqual([18456]);
  });

  test('DBCC FLUSHAUTHCACHE renews it at once, for whoever may end the connections of the database', async () => {
    await azure.run(`CREATE LOGIN flushed WITH PASSWORD = N'Pa55-word-long'`);
    await azure.run('CREATE USER flushed FOR LOGIN flushed', 'orders');
    const before = { user: 'flushed', password: 'Pa55-word-long', ...orders };
    expect(await ask(azure, before, 'DBCC FLUSHAUTHCACHE')).toEqual([15247]);
    await azure.run('ALTER LOGIN flushed DISABLE');
    expect(await ask(azure, before)).toEqual([{ one: 1 }]);
    await azure.run('GRANT KILL DATABASE CONNECTION TO flushed', 'orders');
    expect(await ask(azure, before, 'DBCC FLUSHAUTHCACHE')).toEqual([]);
    expect(await ask(azure, before)).toEqual([18470]);
  });

  test('a paused database is 40613 for the login that wakes it, and there for a later one', async () => {
    azure.addDatabase('serverless');
    azure.putToSleep('serverless', 2);
    const there = { database: 'serverless' };
    expect(await ask(azure, there)).toEqual([40613]);
    expect(await ask(azure, master)).toEqual([{ one: 1 }]);
    expect(await ask(azure, there)).toEqual([40613]);
    expect(await ask(azure, there)).toEqual([{ one: 1 }]);
  });

  test('a database with a replica elsewhere is named in master, with the server that has it', async () => {
    azure.addDatabase('mirrored', { partner: 'shop-west' });
    const rows = `SELECT d.name AS name, l.partner_server AS partner FROM sys.geo_replication_links AS l JOIN sys.databases AS d ON d.database_id = l.database_id`;
    expect(await ask(azure, master, rows)).toEqual([{ name: 'mirrored', partner: 'shop-west' }]);
    expect(await ask(azure, orders, rows)).toEqual([208]);
  });
});

test('a request of a type that the server does not know is answered by an error, and the connection stays', async () => {
  const memory = new LoginMemory({ copyMs: 0 });
  const engine = new SqlEngine(newServer(saPassword, false), { azure: false, memory, without: new Set(), now });
  const session: Session = {
    id: 60,
    loginName: 'sa',
    sid: '01',
    authenticatingDatabase: 1,
    database: 'master',
    loginDatabase: 'master',
    hostName: '',
    programName: '',
    loggedInAt: now(),
    xactAbort: false,
    lockTimeoutMs: -1,
    end: () => expect.unreachable('the connection was cut'),
  };
  const bulkLoad = { type: 0x07, data: Buffer.from([0x81, 0, 0]), reset: false };
  const asking = { engine, session, prepared: new Map(), signal: new AbortController().signal };
  const errorToken = 0xaa;
  expect((await answerRequest(bulkLoad, asking)).at(0)).toBe(errorToken);
});
