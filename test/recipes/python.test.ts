/** What docs/recipes/python.md promises: no query fails when the old login is refused, as long as the vault has the new one. */
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../local/postgres.ts';
import { startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import { type PythonApplication, startPython } from './python.ts';

const ways = ['psycopg', 'sqlalchemy'] as const;
const secret = 'orders-db';
let server: PostgresServer;
let vault: VaultEmulator;
let app: PythonApplication;
let owner: Client;

beforeAll(async () => {
  [server, vault] = await Promise.all([startPostgres(), startVaultEmulator()]);
  owner = new Client({ connectionString: server.adminUrl });
  await owner.connect();
  for (const login of ['orders_app', 'orders_app_alt']) await owner.query(`CREATE ROLE ${login} LOGIN`);
});
afterAll(async () => {
  await app.close();
  await owner.end();
  await vault.close();
  await server.close();
});

beforeEach(async () => {
  await owner.query("ALTER ROLE orders_app PASSWORD 'the-first'");
  await owner.query("ALTER ROLE orders_app_alt PASSWORD 'the-second'");
  publish('orders_app', 'the-first');
  await app?.close();
  app = await startPython(vault.url, secret);
});

function publish(login: string, password: string): void {
  vault.put(secret, { value: `postgres://${login}:${password}@127.0.0.1:${server.port}/postgres` });
}

/** The old login is refused from now on, and its sessions are ended. */
async function retire(login: string): Promise<void> {
  await owner.query(`ALTER ROLE ${login} PASSWORD NULL`);
  await owner.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1', [login]);
}

it.each(ways)('%s: reads again when the old login is refused, and the query succeeds with the new one', async (way) => {
  expect(await app.ask(way)).toBe('orders_app');
  publish('orders_app_alt', 'the-second');
  // Read a moment ago, so not yet read again.
  expect(await app.ask(way)).toBe('orders_app');
  await retire('orders_app');
  expect(await app.ask(way)).toBe('orders_app_alt');
});

it.each(ways)('%s: a login that is refused without a newer version is an error that holds no password', async (way) => {
  await retire('orders_app');
  const said = await app.ask(way);
  expect(said).toContain('password authentication failed for user "orders_app"');
  expect(said).not.toContain('the-first');
});
