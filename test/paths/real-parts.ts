/** The engine with the app's own adapters on real servers, one worker at a time and each port within reach of a test. */
import { randomBytes } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { Client } from 'pg';
import { startPostgres } from '../../local/postgres.ts';
import { startVaultEmulator } from '../../local/vault/index.ts';
import { rotators } from '../../rotators/registry.ts';
import type { RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { LoginIndex } from '../../shared/contract/state.ts';
import { newPassword } from '../../shared/engine/rotation/password.ts';
import type { EngineDependencies } from '../../shared/engine/running/dependencies.ts';
import { queuedFollowUps } from '../../shared/operations/follow-ups.ts';
import { queuedWakeUps } from '../../shared/operations/wake-ups.ts';
import { BlobLeases, leaseContainer } from '../../shared/storage/blob-leases.ts';
import { connectStorage } from '../../shared/storage/connect.ts';
import { tableLoginIndex } from '../../shared/storage/state/login-index.ts';
import { tableMarks } from '../../shared/storage/state/marks.ts';
import { Records } from '../../shared/storage/state/records.ts';
import { StorageQueues } from '../../shared/storage/storage-queues.ts';
import { KeyVault } from '../../shared/vault/key-vault.ts';
import { findSecrets } from '../canary.ts';
import { logsIn } from './logs-in.ts';
import { startWiredStorage } from './storage.ts';

type Wrap = <T extends object>(name: string, port: T) => T;

export type RealParts = Awaited<ReturnType<typeof startRealParts>>;

const dayMs = 86_400_000;
const credential = {
  getToken: async () => ({ token: 'local', expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const environment: RotatorEnvironment = {
  trustedCertificates: [],
  connectTimeoutMs: 10_000,
  getToken: () => Promise.reject(new Error('no identity here')),
  allowedHosts: [],
  cloud: { resourceManager: '', graph: '', login: '' },
};
// A worker that is gone renews nothing, and its timers must not either.
const timing = { elapsedMs: () => performance.now(), wallMs: () => Date.now(), renewEveryMs: dayMs };

export async function startRealParts() {
  const [storage, postgres, vault] = await Promise.all([
    startWiredStorage(),
    startPostgres({ settings: { max_connections: '60' } }),
    startVaultEmulator({ limits: { on: false } }),
  ]);
  const canaries: string[] = [];
  const password = (): string => {
    const made = randomBytes(16).toString('hex');
    canaries.push(made);
    return made;
  };
  const sql = async (text: string): Promise<void> => {
    const client = new Client({ connectionString: postgres.adminUrl });
    await client.connect();
    try {
      // Kept out of the server's log, which is searched for what the engine has put there.
      await client.query('SET log_statement = none');
      await client.query(text);
    } finally {
      await client.end();
    }
  };
  const url = (user: string, secret: string): string =>
    `postgres://${user}:${secret}@127.0.0.1:${postgres.port}/postgres`;
  const adminPassword = password();
  await sql(`CREATE ROLE rotation_admin LOGIN CREATEROLE PASSWORD '${adminPassword}'`);
  vault.put('pg-admin', { value: url('rotation_admin', adminPassword), tags: { serves: '*' } });
  // As a sweep leaves it: a worker that looked at all secrets first would make other calls each time.
  await loginIndexOf(storage.connectionString).markComplete(vault.name, new Date());
  const names = new Set<string>();

  const newest = (name: string) => vault.versions(name).at(-1);
  return {
    vault,
    newest,
    /** A login and the secret that holds it, due. */
    async plant(name: string, strategy: string): Promise<{ readonly version: string; readonly value: string }> {
      const login = name.replaceAll('-', '_');
      const value = url(login, password());
      await sql(`SET ROLE rotation_admin; CREATE ROLE ${login} LOGIN PASSWORD '${new URL(value).password}'`);
      const tags = { rotator: 'postgres', strategy, admin: 'pg-admin', team: 'orders' };
      const expiresSeconds = vault.clock.nowSeconds() + 20 * 86_400;
      names.add(name);
      const { id: version } = vault.put(name, { value, tags, contentType: 'text/plain', expiresSeconds });
      // A publish would wait for the next second, and look twice at versions of one second.
      vault.clock.advance(2_000);
      return { version, value };
    },
    accepts: logsIn,
    /** As the service does it a minute after a worker was last heard of. */
    takeLeaseBack: (name: string) => breakLease(storage.connectionString, `${vault.name}/${name}`),
    deps: (wrap: Wrap) => dependencies(vault, storage.connectionString, wrap),
    /** Where a value that the vault ever held, or a password, was found outside of it. */
    leaks(): readonly string[] {
      const held = [...names].flatMap((name) => [
        ...vault.versions(name),
        ...vault.versions(`keyturn-pending-${name}`),
      ]);
      const secrets = [...canaries, ...held.flatMap(({ value }) => [value, new URL(value).password])];
      return findSecrets({ storage: storage.sent(), postgres: postgres.log(), calls: vault.calls.latest }, secrets);
    },
    async close(): Promise<void> {
      await Promise.all([vault.close(), postgres.close(), storage.close()]);
    },
  };
}

async function breakLease(connection: string, name: string): Promise<void> {
  const blobs = BlobServiceClient.fromConnectionString(connection);
  const blob = blobs.getContainerClient(leaseContainer).getBlobClient(name);
  const held = (await blob.exists()) && (await blob.getProperties()).leaseState === 'leased';
  if (held) await blob.getBlobLeaseClient().breakLease(0);
}

function loginIndexOf(connection: string): LoginIndex {
  const clients = connectStorage({ kind: 'connection-string', value: new SecretText(connection) }, credential);
  return tableLoginIndex(new Records(clients));
}

function dependencies(vault: { name: string; url: string }, connection: string, wrap: Wrap): EngineDependencies {
  const clients = connectStorage({ kind: 'connection-string', value: new SecretText(connection) }, credential);
  const queues = wrap('queues', new StorageQueues(clients));
  const marks = wrap('marks', tableMarks(new Records(clients)));
  const { name, url } = vault;
  return {
    vaults: new Map([[name, wrap('vault', new KeyVault({ name, url, credential }))]]),
    rotators: new Map(rotators.map((entry) => [entry.name, entry])),
    loadRotator: async (entry) => wrap('rotator', await entry.load(environment)),
    leases: wrap('leases', new BlobLeases(clients, timing)),
    progress: { step: () => undefined },
    followUps: queuedFollowUps(queues, marks),
    wakeUps: queuedWakeUps(queues),
    logins: wrap('logins', loginIndexOf(connection)),
    acknowledged: async () => ({ kind: 'acknowledged', consumers: new Set() }),
    defaults: { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: dayMs },
    targetHosts: [],
    localTargets: true,
    identityLogin: () => undefined,
    getToken: environment.getToken,
    newPassword,
    wait: async () => undefined,
    elapsedMs: () => performance.now(),
  };
}
