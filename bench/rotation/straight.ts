/**
 * A rotation as a straight script would do it: the same calls of vault and storage account, the same connections with the same
 * statements, one after the other, by the clients that Microsoft and the driver provide. No engine, no rotator, no adapter; it knows
 * beforehand what it will find, and gives up at the first surprise.
 */

import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import { SecretClient } from '@azure/keyvault-secrets';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { Client } from 'pg';
import { fenced } from '../../rotators/postgres/fenced.ts';
import { differences } from '../../rotators/postgres/grants.ts';
import { factsOf } from '../../rotators/postgres/logins.ts';
import { powersOf } from '../../rotators/postgres/power.ts';
import { scramVerifier } from '../../rotators/postgres/scram.ts';
import { settingsOf } from '../../rotators/postgres/settings.ts';
import { settleStatement } from '../../rotators/postgres/talk.ts';
import { afterLeaseMs, leaseMs } from '../../shared/contract/ports.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { newPassword } from '../../shared/engine/rotation/password.ts';
import { leaseContainer } from '../../shared/storage/blob-leases.ts';
import { stateTable } from '../../shared/storage/state/records.ts';
import { adminSecret, type BenchStrategy, type Stage } from './stage.ts';

interface Clients {
  readonly vault: SecretClient;
  readonly blobs: BlobServiceClient;
  readonly queues: QueueServiceClient;
  readonly state: TableClient;
}

/** How its sessions are called, so that they are told from Keyturn's. */
export const scriptName = 'straight-script';

/** Makes the clients once, as a process would that rotates one secret after the other. */
export function straightScript(stage: Stage): (secret: string, strategy: BenchStrategy) => Promise<void> {
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
  return (secret, strategy) => rotateByHand(clients, secret, strategy);
}

async function rotateByHand(clients: Clients, secret: string, strategy: BenchStrategy): Promise<void> {
  const { vault } = clients;
  const lease = clients.blobs.getContainerClient(leaseContainer).getBlobClient(`bench/${secret}`).getBlobLeaseClient();
  await lease.acquireLease(leaseMs / 1000);
  const current = await vault.getSecret(secret);
  const admin = new URL((await vault.getSecret(adminSecret)).value ?? '');
  const address = new URL(current.value ?? '');
  const pendingName = `keyturn-pending-${secret}`;
  // Nothing is pending; the answer is an error, as it is every time but after a crash.
  if (strategy === 'single-user') await vault.getSecret(pendingName).catch(() => undefined);
  await session(address, async () => undefined);
  const wakeUp = await wakeUpLater(clients, secret);

  const login = address.username;
  const next = strategy === 'single-user' ? login : other(login);
  const password = newPassword();
  const candidate = new URL(address);
  candidate.username = next;
  candidate.password = password.reveal();
  const { tags = {}, contentType = '' } = current.properties;
  const expiresOn = new Date(Date.now() + 90 * 86_400_000);
  const stamped = { ...tags, rotation: `id=${randomUUID()};from=${current.properties.version ?? ''}` };
  const pending =
    strategy === 'single-user'
      ? await vault.setSecret(pendingName, candidate.href, { tags: { 'pending-of': secret }, contentType, expiresOn })
      : undefined;
  await session(admin, (client) =>
    strategy === 'single-user' ? changePassword(client, next, password) : changeIdle(client, login, next, password),
  );
  await session(candidate, async (client) => {
    if (next !== login) await client.query(message(differences(serverVersion, login, next).sql));
  });

  await vault.setSecret(secret, candidate.href, { tags: stamped, contentType, expiresOn });
  for await (const _version of vault.listPropertiesOfSecretVersions(secret));
  await followUp(clients, secret, strategy);
  const { version } = pending?.properties ?? {};
  if (version !== undefined) await vault.updateSecretProperties(pendingName, version, { enabled: false });
  await wakeUp();
  await lease.releaseLease();
}

/** Somebody comes back should this process die; taken back when it does not. */
async function wakeUpLater({ queues }: Clients, secret: string): Promise<() => Promise<unknown>> {
  const text = Buffer.from(JSON.stringify({ vault: 'bench', secret, requestedBy: 'script' })).toString('base64');
  const queue = queues.getQueueClient(queueNames.rotations);
  const sent = await queue.sendMessage(text, { messageTimeToLive: -1, visibilityTimeout: afterLeaseMs / 1000 });
  return () => queue.deleteMessage(sent.messageId, sent.popReceipt);
}

function other(login: string): string {
  return login.endsWith('_alt') ? login.slice(0, -'_alt'.length) : `${login}_alt`;
}

async function session(address: URL, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: address.href, application_name: scriptName });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

type Password = ReturnType<typeof newPassword>;

/** Of the server that the bench starts. */
const serverVersion = 180_000;

function message(...statements: readonly string[]): string {
  return [settleStatement(30_000), ...statements].join(';\n');
}

async function changePassword(client: Client, login: string, password: Password): Promise<void> {
  await client.query(message(factsOf([login]).sql, powersOf(serverVersion, login).sql));
  await writePassword(client, login, password);
}

async function changeIdle(client: Client, live: string, idle: string, password: Password): Promise<void> {
  await client.query(
    message(
      factsOf([live, idle]).sql,
      powersOf(serverVersion, live).sql,
      differences(serverVersion, idle, live).sql,
      differences(serverVersion, live, idle).sql,
      settingsOf([live, idle]).sql,
    ),
  );
  await writePassword(client, idle, password);
}

async function writePassword(client: Client, login: string, password: Password): Promise<void> {
  const verifier = await scramVerifier(password, 4096);
  const change = fenced(Date.now() + 30_000, [`ALTER ROLE "${login}" PASSWORD '${verifier}'`]);
  await client.query(`SET TRANSACTION READ WRITE;\n${message(change)}`);
}

/** The news for consumers, the retirement where the old login lives on, and the mark that both were done. */
async function followUp({ queues, state }: Clients, secret: string, strategy: BenchStrategy): Promise<void> {
  const text = Buffer.from(JSON.stringify({ vault: 'bench', secret, requestedBy: 'script' })).toString('base64');
  await queues.getQueueClient(queueNames.notifications).sendMessage(text, { messageTimeToLive: -1 });
  if (strategy === 'alternating-users') {
    await queues
      .getQueueClient(queueNames.retirements)
      .sendMessage(text, { messageTimeToLive: -1, visibilityTimeout: 2 });
  }
  await state.upsertEntity({ partitionKey: 'mark', rowKey: randomUUID() }, 'Replace');
}
