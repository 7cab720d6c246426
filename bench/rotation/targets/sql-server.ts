import { Connection, Request } from 'tedious';
import { makeCertificates } from '../../../local/certificates.ts';
import { startSqlServer } from '../../../local/sql-server/index.ts';
import { addressOf, adminName, adminPassword, type RotationTarget } from '../target.ts';

const database = 'orders';

/** The stand-in: there is no SQL Server that a test may bring along. */
export async function startSqlServerTarget(): Promise<RotationTarget> {
  const certificate = await makeCertificates({ hosts: ['localhost', '127.0.0.1'] });
  const server = await startSqlServer({ saPassword: 'Sa-of-a-throwaway-server-1', certificate });
  server.addDatabase(database, { tables: [{ name: 'items', columns: ['id', 'total'] }] });
  await server.run(`CREATE LOGIN ${adminName} WITH PASSWORD = N'${adminPassword}'`);
  const rights = ['ALTER ANY LOGIN', 'VIEW ANY DEFINITION', 'VIEW SERVER STATE', 'ALTER ANY CONNECTION'];
  await server.run(`GRANT ${rights.join(', ')} TO ${adminName}`);
  await server.run(
    `CREATE USER ${adminName} FOR LOGIN ${adminName}; ALTER ROLE db_owner ADD MEMBER ${adminName}`,
    database,
  );
  return {
    name: 'sql-server',
    rotator: 'sql-server',
    strategies: ['alternating-users', 'single-user'],
    port: server.port,
    admin: (port) => addressOf('mssql', adminName, adminPassword, String(port)),
    async addLogin(login, password, port) {
      await server.run(`CREATE LOGIN ${login} WITH PASSWORD = N'${password}'`);
      await server.run(
        `CREATE USER ${login} FOR LOGIN ${login}; GRANT SELECT ON OBJECT::dbo.items TO ${login}`,
        database,
      );
      return addressOf('mssql', login, password, `${port}/${database}`);
    },
    change: (url, login, password) => session(url, `ALTER LOGIN ${login} WITH PASSWORD = N'${password}'`),
    enter: (value) => session(value),
    close: () => server.close(),
  };
}

async function session(url: URL, batch?: string): Promise<void> {
  const connection = new Connection({
    server: url.hostname,
    authentication: { type: 'default', options: { userName: url.username, password: url.password } },
    options: {
      ...{ port: Number(url.port), encrypt: false, maxRetriesOnTransientErrors: 0 },
      ...(url.pathname.length > 1 ? { database: url.pathname.slice(1) } : {}),
    },
  });
  connection.on('error', () => undefined);
  try {
    await answered((done) => connection.connect(done));
    if (batch !== undefined) await answered((done) => connection.execSqlBatch(new Request(batch, done)));
  } finally {
    connection.close();
  }
}

function answered(start: (done: (error?: Error | null) => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  start((error) => (error === undefined || error === null ? resolve() : reject(error)));
  return promise;
}
