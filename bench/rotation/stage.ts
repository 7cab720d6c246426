/** Vault, storage account and one target for the bench of rotations, and Keyturn composed as the app composes it. */
import { BlobServiceClient } from '@azure/storage-blob';
import { compose } from '../../functions/compose.ts';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import { readSettings, SettingsInvalid } from '../../shared/config/settings.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import type { EngineDependencies } from '../../shared/engine/running/dependencies.ts';
import { leaseContainer } from '../../shared/storage/blob-leases.ts';
import { startDelayedWire } from '../delayed-wire.ts';
import type { RotationTarget } from './target.ts';

export interface Stage {
  readonly engine: EngineDependencies;
  readonly vault: VaultEmulator;
  readonly storage: Azurite;
  readonly target: RotationTarget;
  /** A login with its rights, and the secret that holds it. */
  addSecret(secret: string, login: string, strategy: Strategy): Promise<void>;
  close(): Promise<void>;
}

export const adminSecret = 'target-admin';

/** The same for all logins, so that what one rotation does can be done again with another login. */
const firstPassword = 'First-password-of-all-logins-1';

export interface StageOptions {
  readonly start: () => Promise<RotationTarget>;
  /** Time of a round trip to the target, in ms. 0: no wire between. */
  readonly rttMs: number;
}

export async function startStage({ start, rttMs }: StageOptions): Promise<Stage> {
  const [storage, vault, target] = await Promise.all([
    startAzurite(),
    // The limits are left out: what is measured is one rotation, not how many a vault takes.
    startVaultEmulator({ name: 'bench', limits: { on: false } }),
    start(),
  ]);
  const wire = rttMs > 0 ? await startDelayedWire(target.port, rttMs) : undefined;
  const port = wire?.port ?? target.port;
  const outcome = readSettings({
    AzureWebJobsStorage: storage.connectionString,
    KEYTURN_VAULTS: `bench=${vault.url}`,
    KEYTURN_CREDENTIAL: 'local',
    // The straight script tells somebody too; news that no channel waits for is not even put into the queue.
    KEYTURN_CHANNELS: JSON.stringify({ hook: { kind: 'webhook', url: 'http://127.0.0.1:9/', signingSecret: 'none' } }),
    KEYTURN_NOTIFY: 'hook',
  });
  if (outcome.kind === 'invalid') throw new SettingsInvalid(outcome.problems);
  const { engine } = await compose(outcome.settings);
  // As a sweep leaves it: a first rotation would look at all secrets.
  await engine.logins.markComplete('bench', new Date());
  vault.put(adminSecret, { value: target.admin(port), tags: { serves: '*' } });
  const leases = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient(leaseContainer);
  await leases.createIfNotExists();
  return {
    engine,
    vault,
    storage,
    target,
    async addSecret(secret, login, strategy) {
      // There from the first rotation on; a script that has never rotated the secret needs it too.
      await leases.getBlockBlobClient(`bench/${secret}`).upload('', 0);
      vault.put(secret, {
        value: await target.addLogin(login, firstPassword, port),
        contentType: 'text/plain',
        tags: { rotator: target.rotator, strategy, admin: adminSecret, overlap: 'PT1S', team: 'bench' },
        expiresSeconds: vault.clock.nowSeconds() + 90 * 86_400,
      });
    },
    close: async () => {
      await wire?.close();
      await vault.close();
      await target.close();
      await storage.close();
    },
  };
}
