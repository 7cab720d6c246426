import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../../local/certificates.ts';
import { packetTypes, type SqlServer, startSqlServer } from '../../local/sql-server/index.ts';
import { type TsqlAsked, tsql } from './freetds.ts';

const saPassword = 'Sa-Password-0001';
let server: SqlServer;
let demanding: SqlServer;
const heard: { type: number; encrypted: boolean }[] = [];

beforeAll(async () => {
  const certificate = await makeCertificates({ hosts: ['127.0.0.1', 'localhost'] });
  server = await startSqlServer({
    saPassword,
    certificate,
    onMessage: ({ type }, encrypted) => void heard.push({ type, encrypted }),
  });
  server.addDatabase('orders', { tables: [{ name: 'items', columns: ['id'] }] });
  await server.run(`CREATE LOGIN app WITH PASSWORD = N'Pa55-word-of-it'`);
  demanding = await startSqlServer({ saPassword, certificate, azure: true });
});
afterAll(async () => {
  await server.close();
  await demanding.close();
});

const ask = (batches: readonly string[], more: Partial<TsqlAsked> = {}) =>
  tsql({ port: server.port, user: 'sa', password: saPassword, encryption: 'request', batches, ...more });

describe('FreeTDS', () => {
  test.each(['7.2', '7.3', '7.4'] as const)(
    'logs in with TDS %s, without an extension of the login, and reads rows',
    async (tdsVersion) => {
      const answer = await ask([`SELECT N'größe ☃' AS word, DB_NAME() AS db`], { tdsVersion, database: 'orders' });
      expect(answer.text).toContain('größe ☃\torders');
      expect(answer.code).toBe(0);
    },
  );

  test.each([
    ['require', { login: true, batch: true }],
    ['request', { login: true, batch: false }],
    ['off', { login: false, batch: false }],
  ] as const)('with "encryption = %s" what is encrypted is %j', async (encryption, expected) => {
    heard.length = 0;
    expect((await ask(['SELECT 1 AS one'], { encryption })).text).toContain('1 row');
    const through = (type: number) => heard.find((message) => message.type === type)?.encrypted;
    expect({ login: through(packetTypes.login7), batch: through(packetTypes.batch) }).toEqual(expected);
  });

  test('a server that demands encryption has all of it encrypted for a client that asked for the login alone, and takes none without', async () => {
    const port = demanding.port;
    expect((await ask(['SELECT @@VERSION AS v'], { port })).text).toContain('Microsoft SQL Azure');
    expect((await ask(['SELECT 1 AS one'], { port, encryption: 'off' })).text).not.toContain('1 row');
  });

  test('the session is told by its id in every packet', async () => {
    const before = Math.max(50, ...server.sessions.keys());
    const { text } = await ask(['SELECT @@SPID AS id']);
    const id = Number(/^(\d+)$/m.exec(text)?.[1]);
    expect(id).toBeGreaterThan(before);
  });

  test('errors come with their number, and the connection goes on after each', async () => {
    const { text } = await ask([
      'SELECT nothing FROM sys.databases',
      'EXEC no_such_procedure 1',
      "SELECT N'still here' AS word",
    ]);
    expect(text).toMatch(/Msg 207/);
    expect(text).toMatch(/Msg 2812/);
    expect(text).toContain('still here');
  });

  test('a wrong password is 18456, and the client is gone', async () => {
    const answer = await ask(['SELECT 1 AS one'], { password: 'wrong' });
    expect(answer.text).toMatch(/Msg 18456/);
    expect(answer.code).not.toBe(0);
  });
});
