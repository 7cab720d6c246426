import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PgBouncer, startPgBouncer } from '../../local/pgbouncer.ts';
import { type PostgresServer, startPostgres } from '../../local/postgres.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await as(server, `${server.adminUser}:${server.adminPassword}`, "CREATE ROLE app LOGIN PASSWORD 'first'");
});
afterAll(() => server.close());

/** `login`: `name:password`. */
async function open({ host, port }: { readonly host: string; readonly port: number }, login: string): Promise<Client> {
  const client = new Client({ connectionString: `postgres://${login}@${host}:${port}/postgres` });
  await client.connect();
  return client;
}

async function as(at: { readonly host: string; readonly port: number }, login: string, statement: string) {
  const client = await open(at, login);
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

describe.each(['transaction', 'session'] as const)('PgBouncer in %s mode', (mode) => {
  let pooler: PgBouncer;
  beforeAll(async () => {
    pooler = await startPgBouncer(server, { mode });
  });
  afterAll(() => pooler.close());

  test('lets a login in with its password, and with a new one as soon as the server has it', async () => {
    await as(server, `${server.adminUser}:${server.adminPassword}`, "ALTER ROLE app PASSWORD 'second'");
    expect(await as(pooler, 'app:second', 'SELECT current_user AS me')).toEqual([{ me: 'app' }]);
  });

  test('refuses a wrong password with 08P01, the code of a broken protocol', async () => {
    await expect(open(pooler, 'app:wrong')).rejects.toMatchObject({ code: '08P01' });
  });

  const left = mode === 'transaction' ? 'meets' : 'does not meet';
  test(`the next client ${left} a setting that the client before it made for its session`, async () => {
    await as(pooler, 'app:second', 'SET search_path = nowhere');
    const [row] = await as(pooler, 'app:second', 'SHOW search_path');
    expect(row?.search_path === 'nowhere').toBe(mode === 'transaction');
  });
});
