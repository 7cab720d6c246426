/** Vault, storage account and Postgres for the bench of rotations, and Keyturn composed as the app composes it. */
import { BlobServiceClient } from '@azure/storage-blob';
import { Client } from 'pg';
import { compose } from '../../functions/compose.ts';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { type PostgresServer, startPostgres } from '../../local/postgres.ts';
import { startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import { readSettings, SettingsInvalid } from '../../shared/config/settings.ts';
import type { EngineDependencies } from '../../shared/engine/running/dependencies.ts';
import { leaseContainer } from '../../shared/storage/blob-leases.ts';

export type BenchStrategy = 'alternating-users' | 'single-user';

export interface Stage {
  readonly engine: EngineDependencies;
  readonly vault: VaultEmulator;
  readonly storage: Azurite;
  readonly postgres: PostgresServer;
  /** A login with a database of its own, and the secret that holds it. */
  addSecret(secret: string, login: string, strategy: BenchStrategy): Promise<void>;
  close(): Promise<void>;
}

export const adminSecret = 'postgres-admin';
const adminPassword = 'password-of-the-rotation-admin';

export async function startStage(): Promise<Stage> {
  const [storage, vault, postgres] = await Promise.all([
    startAzurite(),
    // The limits are left out: what is measured is one rotation, not how many a vault takes.
    startVaultEmulator({ name: 'bench', limits: { on: false } }),
    startPostgres({ settings: { log_statement: 'none' } }),
  ]);
  const outcome = readSettings({
    AzureWebJobsStorage: storage.connectionString,
    KEYTURN_VAULTS: `bench=${vault.url}`,
    KEYTURN_CREDENTIAL: 'local',
  });
  if (outcome.kind === 'invalid') throw new SettingsInvalid(outcome.problems);
  const { engine } = await compose(outcome.settings);
  await asSuperuser(postgres, `CREATE ROLE keyturn_admin LOGIN CREATEROLE PASSWORD '${adminPassword}'`);
  vault.put(adminSecret, {
    value: addressOf(postgres, 'keyturn_admin', adminPassword, 'postgres'),
    tags: { serves: '*' },
  });
  await BlobServiceClient.fromConnectionString(storage.connectionString)
    .getContainerClient(leaseContainer)
    .createIfNotExists();
  return {
    engine,
    vault,
    storage,
    postgres,
    addSecret: (secret, login, strategy) => addSecret({ vault, postgres }, secret, login, strategy),
    close: async () => {
      await vault.close();
      await postgres.close();
      await storage.close();
    },
  };
}

async function addSecret(
  { vault, postgres }: Pick<Stage, 'vault' | 'postgres'>,
  secret: string,
  login: string,
  strategy: BenchStrategy,
): Promise<void> {
  const password = `first-password-of-${login}`;
  // The admin has ADMIN OPTION on the logins that it makes itself.
  await asSuperuser(postgres, `SET ROLE keyturn_admin; CREATE ROLE ${login} LOGIN PASSWORD '${password}'`);
  await asSuperuser(postgres, `CREATE DATABASE ${login} OWNER ${login}`);
  vault.put(secret, {
    value: addressOf(postgres, login, password, login),
    contentType: 'text/plain',
    tags: { rotator: 'postgres', strategy, admin: adminSecret, overlap: 'PT1S', team: 'bench' },
    expiresSeconds: vault.clock.nowSeconds() + 90 * 86_400,
  });
}

function addressOf(postgres: PostgresServer, user: string, password: string, database: string): string {
  return `postgres://${user}:${password}@${postgres.host}:${postgres.port}/${database}`;
}

async function asSuperuser(postgres: PostgresServer, sql: string): Promise<void> {
  const client = new Client({ connectionString: postgres.adminUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
