import mssql from 'mssql';
import { type Certificates, makeCertificates } from '../certificates.ts';
import { type SqlServer, startSqlServer } from '../sql-server/index.ts';
import { putSecret } from './put.ts';
import type { Scene } from './scene.ts';

const secret = 'ledger-db';

const setUp = [
  `CREATE LOGIN rotation_admin WITH PASSWORD = N'Some-first-Passw0rd'`,
  'GRANT ALTER ANY LOGIN, VIEW ANY DEFINITION, VIEW SERVER STATE, ALTER ANY CONNECTION TO rotation_admin',
  `CREATE LOGIN ledger_app WITH PASSWORD = N'Another-first-Passw0rd'`,
];

const inLedger = `CREATE USER rotation_admin FOR LOGIN rotation_admin; ALTER ROLE db_owner ADD MEMBER rotation_admin;
  CREATE USER ledger_app FOR LOGIN ledger_app; ALTER ROLE db_datareader ADD MEMBER ledger_app`;

/** SQL Server: a stand-in that speaks its protocol over TLS, with the real driver. */
export function sqlServerScene(): Scene {
  let server: SqlServer | undefined;
  let certificates: Certificates | undefined;
  const connect = async (value: string): Promise<void> => {
    const config = mssql.ConnectionPool.parseConnectionString(value);
    const pool = new mssql.ConnectionPool({
      ...config,
      options: { ...config.options, cryptoCredentialsDetails: { ca: certificates?.ca ?? '' } },
      pool: { min: 0, max: 1 },
    });
    await pool.connect();
    await pool.close();
  };
  return {
    secret,
    about: 'two logins take turns (a stand-in on the wire)',
    strategy: 'sql-server alternating-users',
    server: 'stand-in for SQL Server',
    expected: 'rotated',
    unnoticed: true,
    async start() {
      certificates = await makeCertificates({ hosts: ['127.0.0.1'] });
      server = await startSqlServer({ saPassword: 'The-0wners-Passw0rd', certificate: certificates });
      server.addDatabase('ledger', { tables: [{ name: 'entries', columns: ['id'] }] });
      for (const statement of setUp) await server.run(statement);
      await server.run(inLedger, 'ledger');
      return { KEYTURN_TRUSTED_CERTIFICATES: certificates.ca };
    },
    async setUp({ vault }) {
      const at = `Server=127.0.0.1,${server?.port ?? 0}`;
      vault.put('ledger-admin', {
        value: `${at};User ID=rotation_admin;Password=Some-first-Passw0rd;Encrypt=True`,
        tags: { serves: secret },
      });
      const value = `${at};Database=ledger;User ID=ledger_app;Password=Another-first-Passw0rd;Encrypt=True`;
      putSecret(vault, secret, value, { rotator: 'sql-server', strategy: 'alternating-users', admin: 'ledger-admin' });
    },
    use: connect,
    accepts: async (value) => {
      try {
        await connect(value);
        return true;
      } catch (error) {
        if (error instanceof mssql.ConnectionError && error.code === 'ELOGIN') return false;
        throw error;
      }
    },
    close: async () => server?.close(),
  };
}
