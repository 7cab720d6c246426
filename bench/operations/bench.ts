/**
 * What is paid for by the call: executions of functions, and operations of vault and storage account. Counted on the built app, from a
 * near-expiry event until the old credential is retired, for a sweep, an acknowledgement, and an idle hour. Events come by way of the queue,
 * as the templates set it up, and the message that Event Grid puts there counts.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { QueueServiceClient } from '@azure/storage-queue';
import { Client } from 'pg';
import { localApiKeys } from '../../local/api-keys.ts';
import { type LocalAzure, startLocalAzure } from '../../local/azure.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import type { BenchCase, BenchOptions, Run } from '../bench.ts';
import { type CountedStorage, type Counts, startCountedStorage } from './counted-storage.ts';

const never = '0 0 0 1 1 *';
const daySeconds = 86_400;
const patienceMs = 60_000;
/** host.json's own; shorter where the figures mean nothing. */
const pollingOf = ({ quick }: Pick<BenchOptions, 'quick'>): number => (quick ? 500 : 6_000);
const secret = 'orders-db';
const awaited = 'awaited-db';
const told = 'told-db';
const filling = 'signing-';

interface Scene {
  readonly azure: LocalAzure;
  readonly storage: CountedStorage;
  readonly pollingMs: number;
  /** Calls of the vault that the bench made itself. */
  readonly own: { calls: number };
}

export const run: Run = async (options) => {
  const storage = await startCountedStorage();
  const receiver = await startReceiver();
  const pollingMs = pollingOf(options);
  try {
    const channels = { hook: { kind: 'webhook', url: receiver.url, signingSecret: 'hook-signing' } };
    const azure = await startLocalAzure({
      storage,
      settings: {
        KEYTURN_SWEEP_SCHEDULE: never,
        KEYTURN_DRIFT_SCHEDULE: never,
        KEYTURN_CHANNELS: JSON.stringify(channels),
      },
      queues: { maxPollingMs: pollingMs },
    });
    try {
      await deliverByQueue(azure);
      return await measure({ azure, storage, pollingMs, own: { calls: 0 } }, options);
    } finally {
      await azure.close();
    }
  } finally {
    await receiver.close();
    await storage.close();
  }
};

/** Instead of calling the function. The app makes the queue soon after its start. */
async function deliverByQueue({ events, storage, vault }: LocalAzure): Promise<void> {
  await events.close();
  const queues = QueueServiceClient.fromConnectionString(storage.connectionString);
  const queue = queues.getQueueClient(queueNames.secretEvents);
  await queue.createIfNotExists();
  vault.onEvent((event) => {
    // A thousand secrets that are only there to be swept.
    if (event.data.ObjectName.startsWith(filling)) return;
    const text = Buffer.from(JSON.stringify(event)).toString('base64');
    queue.sendMessage(text).catch((error: unknown) => process.stderr.write(`an event was not delivered: ${error}\n`));
  });
}

/** Takes all news. */
async function startReceiver(): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const server = createServer((asked, answer) => {
    asked.resume();
    asked.on('end', () => answer.writeHead(204).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${address.port}/`, close };
}

async function measure(scene: Scene, { quick, progress }: BenchOptions): Promise<readonly BenchCase[]> {
  const { azure, pollingMs } = scene;
  azure.vault.put('orders-admin', { value: adminUrl(azure), tags: { serves: '*' } });
  azure.vault.put('hook-signing', { value: `whsec_${randomBytes(32).toString('base64')}` });
  await plant(azure, secret, {});
  await plant(azure, told, { notify: 'hook' });
  // The first one looks at each new value once, and each first version is looked at by its own event.
  await until(scene, 'checked', told);
  await sweepOnce(scene, 1);
  // What is paid for month after month: whoever works on a secret for the first time also makes its lease.
  for (const name of [secret, told]) {
    for (const what of ['pause', 'resume']) await call(azure, `${name}/${what}`, localApiKeys.operator);
    await until(scene, 'skipped', name);
  }
  await sleep(2 * pollingMs);
  progress('a rotation');
  const rotation = await counted(scene, 'event to retired', async () => {
    await nearExpiry(scene, secret);
    await until(scene, 'retired', secret);
  });
  progress('a rotation that a channel is told of');
  const heard = await counted(scene, 'the same, with one channel', async () => {
    await nearExpiry(scene, told);
    await until(scene, 'notice-delivered', told, 2);
  });
  await plant(azure, awaited, { consumers: 'consumer' });
  // The new version is looked at once, by its event.
  await sleep(4 * pollingMs);
  progress('an acknowledgement');
  const acknowledgement = await counted(scene, 'acknowledgement', () => acknowledge(scene.azure));
  const secrets = quick ? 30 : 1_000;
  fill(scene.azure, secrets);
  await sleep(4 * pollingMs);
  // The first one looks at each new value once.
  await sweepOnce(scene, 2);
  progress(`a sweep of ${secrets} secrets`);
  const sweep = await counted(scene, `sweep of ${secrets}`, () => sweepOnce(scene, 3));
  const seconds = quick ? 4 : 60;
  progress(`idle for ${seconds} s`);
  await sleep(3 * pollingMs);
  const idle = await counted(scene, 'idle hour', () => sleep(seconds * 1_000));
  return [rotation, heard, acknowledgement, sweep, perHour(idle, seconds, pollingMs)];
}

/** Everything that is counted, all since the start. */
function totals({ azure, storage, own }: Scene): Counts & { readonly executions: number; readonly vault: number } {
  const executions = azure.host
    .logs()
    .filter((one) => one.category === 'system' && one.message.startsWith('Executed '));
  return { ...storage.counts(), executions: executions.length, vault: azure.vault.calls.total - own.calls };
}

async function counted(scene: Scene, name: string, work: () => Promise<unknown>): Promise<BenchCase> {
  const before = totals(scene);
  await work();
  // What follows the last line of the log: the end of the execution, the end of the message.
  await sleep(2 * scene.pollingMs);
  const after = totals(scene);
  const { executions, vault, queue, table, blob } = difference(after, before);
  const calls = vault + queue + table + blob;
  return { name, executions, calls, vault, queue, table, blob, emptyPolls: after.emptyPolls - before.emptyPolls };
}

function difference(after: ReturnType<typeof totals>, before: ReturnType<typeof totals>) {
  return {
    executions: after.executions - before.executions,
    vault: after.vault - before.vault,
    queue: after.queue - before.queue,
    table: after.table - before.table,
    blob: after.blob - before.blob,
  };
}

/** The counting itself goes on for two polls more. */
function perHour(idle: BenchCase, seconds: number, pollingMs: number): BenchCase {
  const factor = 3_600 / (seconds + (2 * pollingMs) / 1_000);
  const figures = Object.entries(idle).map(([name, value]) => [
    name,
    typeof value === 'number' ? Math.round(value * factor) : value,
  ]);
  return { name: 'idle hour', ...Object.fromEntries(figures) };
}

function adminUrl({ postgres }: LocalAzure): string {
  if (postgres === undefined) throw new Error('this bench needs the database');
  return postgres.adminUrl;
}

/** A login and its secret, far from its expiry. The overlap is over at once. */
async function plant(azure: LocalAzure, name: string, tags: Readonly<Record<string, string>>): Promise<void> {
  const { vault } = azure;
  const login = name.replaceAll('-', '_');
  const password = randomBytes(16).toString('hex');
  const admin = new Client({ connectionString: adminUrl(azure) });
  await admin.connect();
  await admin.query(`CREATE ROLE ${login} LOGIN PASSWORD '${password}'`);
  await admin.end();
  const { hostname, port } = new URL(adminUrl(azure));
  vault.put(name, {
    value: `postgres://${login}:${password}@${hostname}:${port}/postgres`,
    tags: { rotator: 'postgres', strategy: 'alternating-users', admin: 'orders-admin', overlap: 'PT1S', ...tags },
    expiresSeconds: vault.clock.nowSeconds() + 85 * daySeconds,
  });
}

/** The vault announces the expiry at once. */
async function nearExpiry({ azure: { vault }, own }: Scene, name: string): Promise<void> {
  const version = vault.versions(name).at(-1)?.id ?? '';
  const answer = await fetch(`${vault.url}/secrets/${name}/${version}?api-version=2026-04-01`, {
    method: 'PATCH',
    headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
    body: JSON.stringify({ attributes: { exp: vault.clock.nowSeconds() + 20 * daySeconds } }),
  });
  if (!answer.ok) throw new Error(`the expiry was not changed: ${answer.status}`);
  own.calls++;
  vault.evaluate();
}

function fill({ vault }: LocalAzure, secrets: number): void {
  for (let number = 0; number < secrets; number++) {
    vault.put(`${filling}${number}`, {
      value: `value-${number}`,
      tags: { rotator: 'self-issued' },
      expiresSeconds: vault.clock.nowSeconds() + 85 * daySeconds,
    });
  }
}

async function acknowledge(azure: LocalAzure): Promise<void> {
  const version = azure.vault.versions(awaited).at(-1)?.id ?? '';
  await call(azure, `${awaited}/versions/${version}/acknowledgements`, localApiKeys.consumer, {});
}

async function call(
  { host }: LocalAzure,
  path: string,
  key: string,
  body: object = { reason: 'bench' },
): Promise<void> {
  const answer = await fetch(`${host.url}/api/v1/vaults/local/secrets/${path}`, {
    method: 'POST',
    headers: { 'x-keyturn-key': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}: ${await answer.text()}`);
}

async function start({ host }: LocalAzure, name: string): Promise<void> {
  await fetch(`${host.url}/admin/functions/${name}`, {
    method: 'POST',
    headers: { 'x-functions-key': host.keys.master, 'content-type': 'application/json' },
    body: '{"input": ""}',
  });
}

/** Waits for a line of the app's log. */
async function sweepOnce(scene: Scene, times: number): Promise<void> {
  await start(scene.azure, 'sweep');
  await until(scene, 'swept', undefined, times);
}

async function until({ azure }: Scene, event: string, about?: string, times = 1): Promise<void> {
  const fits = (message: string) =>
    message.includes(`"event":"${event}"`) && (about === undefined || message.includes(`"secret":"${about}"`));
  const deadline = performance.now() + patienceMs;
  const said = () => azure.host.logs().filter(({ category, message }) => category === 'user' && fits(message));
  while (said().length < times) {
    if (performance.now() > deadline) {
      const last = azure.host
        .logs()
        .slice(-5)
        .map(({ message }) => message);
      throw new Error(`${event} did not come:\n${last.join('\n')}`);
    }
    await sleep(50);
  }
}
