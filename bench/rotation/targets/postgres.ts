import { Client } from 'pg';
import { startPostgres } from '../../../local/postgres.ts';
import { addressOf, adminName, adminPassword, type RotationTarget } from '../target.ts';

export async function startPostgresTarget(): Promise<RotationTarget> {
  const server = await startPostgres({ settings: { log_statement: 'none' } });
  const asSuperuser = (sql: string) => session(server.adminUrl, (client) => client.query(sql));
  await asSuperuser(`CREATE ROLE ${adminName} LOGIN CREATEROLE PASSWORD '${adminPassword}'`);
  return {
    name: 'postgres',
    rotator: 'postgres',
    strategies: ['alternating-users', 'single-user'],
    port: server.port,
    admin: (port) => addressOf('postgres', adminName, adminPassword, `${port}/postgres`),
    async addLogin(login, password, port) {
      // The admin has ADMIN OPTION on the logins that it makes itself.
      await asSuperuser(`SET ROLE ${adminName}; CREATE ROLE ${login} LOGIN PASSWORD '${password}'`);
      await asSuperuser(`CREATE DATABASE ${login} OWNER ${login}`);
      return addressOf('postgres', login, password, `${port}/${login}`);
    },
    change: (admin, login, password) =>
      session(admin.href, (client) => client.query(`ALTER ROLE ${login} PASSWORD '${password}'`)),
    enter: (value) => session(value.href, async () => undefined),
    close: () => server.close(),
  };
}

async function session(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
