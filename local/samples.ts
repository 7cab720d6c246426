/** Secrets and logins to try things on: what an ordinary vault with three databases behind it looks like. */
import { Client } from 'pg';
import type { EstateApplication, EstateResource } from './estate.ts';
import type { PostgresServer } from './postgres.ts';
import type { VaultEmulator } from './vault/index.ts';

export interface Sample {
  readonly secret: string;
  readonly strategy: 'alternating-users' | 'single-user';
  readonly login: string;
  /** What it shows. */
  readonly about: string;
}

export const samples: readonly Sample[] = [
  {
    secret: 'orders-db',
    strategy: 'alternating-users',
    login: 'orders_app',
    about: 'two logins take turns; clients notice nothing',
  },
  {
    secret: 'reports-db',
    strategy: 'single-user',
    login: 'reports_app',
    about: 'one login, its password replaced in place',
  },
  {
    secret: 'billing-db',
    strategy: 'alternating-users',
    login: 'billing_app',
    about: 'its admin is refused: an error with a hint',
  },
];

const dayMs = 86_400_000;

/** How long the samples are valid for, in days. Keyturn rotates a third of it before the end. */
export const sampleDays = 90;

/** Makes the logins with a table each, and the secrets that hold them, with further tags by secret. To be called once on empty servers. */
export async function createSamples(
  vault: VaultEmulator,
  postgres: PostgresServer,
  moreTags: (secret: string) => Readonly<Record<string, string>> = () => ({}),
): Promise<void> {
  const client = new Client({ connectionString: postgres.adminUrl });
  await client.connect();
  try {
    await client.query(`CREATE ROLE keyturn_admin LOGIN CREATEROLE PASSWORD 'sample-password-of-the-admin'`);
    for (const { login } of samples) await createLogin(client, postgres, login);
  } finally {
    await client.end();
  }
  vault.put('postgres-admin', {
    value: urlOf(postgres, 'keyturn_admin', 'sample-password-of-the-admin', 'postgres'),
    tags: { serves: '*' },
  });
  vault.put('billing-admin', {
    value: urlOf(postgres, 'keyturn_admin', 'not-its-password-any-more', 'postgres'),
    tags: { serves: 'billing-*' },
  });
  for (const { secret, strategy, login } of samples) {
    vault.put(secret, {
      value: urlOf(postgres, login, samplePassword(login), login),
      contentType: 'text/plain',
      tags: {
        rotator: 'postgres',
        strategy,
        admin: secret === 'billing-db' ? 'billing-admin' : 'postgres-admin',
        team: 'samples',
        ...moreTags(secret),
      },
      expiresSeconds: vault.clock.nowSeconds() + (sampleDays * dayMs) / 1000,
    });
  }
}

async function createLogin(client: Client, postgres: PostgresServer, login: string): Promise<void> {
  // The admin owns what it has made, which is all the right it needs: from version 16 on, CREATEROLE alone is not enough.
  await client.query('SET ROLE keyturn_admin');
  await client.query(`CREATE ROLE ${login} LOGIN PASSWORD '${samplePassword(login)}'`);
  await client.query('RESET ROLE');
  await client.query(`CREATE DATABASE ${login} OWNER ${login}`);
  const own = new Client({ connectionString: urlOf(postgres, login, samplePassword(login), login) });
  await own.connect();
  try {
    await own.query('CREATE TABLE visits (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())');
  } finally {
    await own.end();
  }
}

/** The password a sample starts with; gone after its first rotation. */
export function samplePassword(login: string): string {
  return `first-password-of-${login}`;
}

function urlOf(postgres: PostgresServer, user: string, password: string, database: string): string {
  return `postgres://${user}:${password}@${postgres.host}:${postgres.port}/${database}`;
}

/** What nobody looks after yet, for "keyturn discover" and "keyturn onboard": a login that expires soon, and two that cannot be rotated as they are. */
export async function createUnmanaged(vault: VaultEmulator, postgres: PostgresServer): Promise<void> {
  const client = new Client({ connectionString: postgres.adminUrl });
  await client.connect();
  try {
    await createLogin(client, postgres, 'invoices_app');
  } finally {
    await client.end();
  }
  const days = (count: number): number => vault.clock.nowSeconds() + (count * dayMs) / 1000;
  const url = urlOf(postgres, 'invoices_app', samplePassword('invoices_app'), 'invoices_app');
  vault.put('invoices-db', { value: url, expiresSeconds: days(12) });
  vault.put('mail-key', {
    value: 'SG.sample-key-of-a-provider.that-no-mail-was-ever-sent-with',
    expiresSeconds: days(40),
  });
  vault.put('session-signing-key', { value: 'sample-of-a-key-that-nobody-issued', tags: { Rotator: 'self-issued' } });
}

/** An application whose client secret ends within days, and a storage account: nothing of either stands in the vault. */
export function sampleApplications(now: Date): readonly EstateApplication[] {
  const endsAt = new Date(now.getTime() + 9 * dayMs).toISOString();
  return [
    {
      appId: '55555555-5555-5555-5555-555555555555',
      displayName: 'sample-reports',
      secrets: [{ keyId: '66666666-6666-6666-6666-666666666666', displayName: 'of last year', endsAt }],
    },
  ];
}

export const sampleResources: readonly EstateResource[] = [
  { name: 'samplereports', type: 'Microsoft.Storage/storageAccounts' },
  { name: 'sample-site', type: 'Microsoft.Web/sites' },
];
