/**
 * A rotation as a script would do it, by the clients that Microsoft and the drivers provide: no engine, no rotator, no adapter. It knows
 * beforehand what it will find, and gives up at the first surprise.
 */

import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import { SecretClient } from '@azure/keyvault-secrets';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterLeaseMs, leaseMs } from '../../shared/contract/ports.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
import { newPassword } from '../../shared/engine/rotation/password.ts';
import { leaseContainer } from '../../shared/storage/blob-leases.ts';
import { stateTable } from '../../shared/storage/state/records.ts';
import { adminSecret, type Stage } from './stage.ts';
import { playerOf, type Rename, type Tape } from './tape.ts';

/** What a rotation by the engine did, to be done again with another secret and login. */
export interface Recorded {
  readonly tape: Tape;
  /** The value it published. */
  readonly value: string;
  readonly secret: string;
  readonly rename: Rename;
}

export interface Scripts {
  /** The same calls of vault and storage account, the same connections with the same statements. */
  straight(recorded: Recorded, strategy: Strategy): Promise<void>;
  /** Two secrets read, a login of the admin, one change, a login with the new password, a version written. No proof of anything else. */
  least(secret: string, strategy: Strategy): Promise<void>;
}

interface Clients {
  readonly vault: SecretClient;
  readonly blobs: BlobServiceClient;
  readonly queues: QueueServiceClient;
  readonly state: TableClient;
}

/** Makes the clients once, as a process would that rotates one secret after the other. */
export function scriptsOn(stage: Stage): Scripts {
  const credential = { getToken: async () => ({ token: 'local', expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const { connectionString } = stage.storage;
  const clients: Clients = {
    vault: new SecretClient(stage.vault.url, credential, {
      allowInsecureConnection: true,
      disableChallengeResourceVerification: true,
    }),
    blobs: BlobServiceClient.fromConnectionString(connectionString),
    queues: QueueServiceClient.fromConnectionString(connectionString),
    state: TableClient.fromConnectionString(connectionString, stateTable, { allowInsecureConnection: true }),
  };
  return {
    straight: (recorded, strategy) => straight(clients, recorded, strategy),
    least: (secret, strategy) => least(stage, clients, secret, strategy),
  };
}

async function straight(
  clients: Clients,
  { tape, value, secret, rename }: Recorded,
  strategy: Strategy,
): Promise<void> {
  const { vault } = clients;
  const lease = clients.blobs.getContainerClient(leaseContainer).getBlobClient(`bench/${secret}`).getBlobLeaseClient();
  await lease.acquireLease(leaseMs / 1000);
  const current = await vault.getSecret(secret);
  await vault.getSecret(adminSecret);
  const pendingName = `keyturn-pending-${secret}`;
  const { pending } = strategyTraits[strategy];
  // Nothing is pending; the answer is an error, as it is every time but after a crash.
  if (pending !== 'never') await vault.getSecret(pendingName).catch(() => undefined);
  const play = playerOf(tape, rename);
  const looked = tape.looked ?? 0;
  await play(0, looked);
  await lookForSharing(clients, strategy);
  const wakeUp = await wakeUpLater(clients, secret);

  const candidate = rename(value);
  const { tags = {}, contentType = '' } = current.properties;
  const expiresOn = new Date(Date.now() + 90 * 86_400_000);
  const stamped = { ...tags, rotation: `id=${randomUUID()};from=${current.properties.version ?? ''}` };
  const stored =
    pending === 'never'
      ? undefined
      : await vault.setSecret(pendingName, candidate, { tags: { 'pending-of': secret }, contentType, expiresOn });
  await play(looked, tape.acts.length);

  await vault.setSecret(secret, candidate, { tags: stamped, contentType, expiresOn });
  for await (const _version of vault.listPropertiesOfSecretVersions(secret));
  await followUp(clients, secret, strategy);
  const { version } = stored?.properties ?? {};
  if (version !== undefined) await vault.updateSecretProperties(pendingName, version, { enabled: false });
  await wakeUp();
  await lease.releaseLease();
}

/** What is known of this secret is read, and who else publishes it is asked, for each login of it. */
async function lookForSharing({ state }: Clients, strategy: Strategy): Promise<void> {
  const missing = (row: string) => state.getEntity('seen', row).catch(() => undefined);
  await Promise.all([missing(randomUUID()), missing('all')]);
  const logins = strategy === 'alternating-users' ? 2 : 1;
  const holders = async (): Promise<void> => {
    const queryOptions = { filter: `PartitionKey eq '${randomUUID()}'` };
    for await (const _holder of state.listEntities({ queryOptions }));
  };
  await Promise.all(Array.from({ length: logins }, holders));
}

/** Somebody comes back should this process die; taken back when it does not. */
async function wakeUpLater({ queues }: Clients, secret: string): Promise<() => Promise<unknown>> {
  const text = Buffer.from(JSON.stringify({ vault: 'bench', secret, requestedBy: 'script' })).toString('base64');
  const queue = queues.getQueueClient(queueNames.rotations);
  const sent = await queue.sendMessage(text, { messageTimeToLive: -1, visibilityTimeout: afterLeaseMs / 1000 });
  return () => queue.deleteMessage(sent.messageId, sent.popReceipt);
}

/** The news for consumers, the retirement where the old credential lives on, and the mark that both were done. */
async function followUp({ queues, state }: Clients, secret: string, strategy: Strategy): Promise<void> {
  const text = Buffer.from(JSON.stringify({ vault: 'bench', secret, requestedBy: 'script' })).toString('base64');
  await queues.getQueueClient(queueNames.notifications).sendMessage(text, { messageTimeToLive: -1 });
  if (strategyTraits[strategy].oldLives) {
    await queues
      .getQueueClient(queueNames.retirements)
      .sendMessage(text, { messageTimeToLive: -1, visibilityTimeout: 2 });
  }
  await state.upsertEntity({ partitionKey: 'mark', rowKey: randomUUID() }, 'Replace');
}

async function least({ target }: Stage, { vault }: Clients, secret: string, strategy: Strategy): Promise<void> {
  const current = new URL((await vault.getSecret(secret)).value ?? '');
  const admin = new URL((await vault.getSecret(adminSecret)).value ?? '');
  const candidate = new URL(current);
  candidate.password = newPassword().reveal();
  if (strategy === 'alternating-users') candidate.username = other(current.username);
  await target.change(admin, candidate.username, candidate.password, strategy === 'dual-password');
  await target.enter(candidate);
  await vault.setSecret(secret, candidate.href);
}

/** The other login of a pair. */
export function other(login: string): string {
  return login.endsWith('_alt') ? login.slice(0, -'_alt'.length) : `${login}_alt`;
}
