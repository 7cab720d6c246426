import { Client } from 'pg';
import { expect, test } from 'vitest';
import { startPostgres } from '../../local/postgres.ts';
import { startPostgresReplica } from '../../local/postgres-replica.ts';

async function ask(url: string, statement: string) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

test('a replica of Postgres gets what its primary writes, and refuses to write itself with 25006', async () => {
  const primary = await startPostgres();
  const replica = await startPostgresReplica(primary);
  try {
    await ask(primary.adminUrl, 'CREATE ROLE app LOGIN');
    const known = () =>
      ask(replica.adminUrl, "SELECT pg_is_in_recovery() AS follows FROM pg_roles WHERE rolname = 'app'");
    await expect.poll(known, { timeout: 10_000, interval: 20 }).toEqual([{ follows: true }]);
    await expect(ask(replica.adminUrl, "ALTER ROLE app PASSWORD 'x'")).rejects.toMatchObject({ code: '25006' });
  } finally {
    await replica.close();
    await primary.close();
  }
});
