/**
 * What is paid for by the call: executions of functions, and operations of vault and storage account. Counted on the built app, from a
 * near-expiry event until the old credential is retired, for a sweep, an acknowledgement, and an idle hour.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { localApiKeys } from '../../local/api-keys.ts';
import { type LocalAzure, startLocalAzure } from '../../local/azure.ts';
import type { BenchCase, BenchOptions, Run } from '../bench.ts';
import { type CountedStorage, type Counts, startCountedStorage } from './counted-storage.ts';

const never = '0 0 0 1 1 *';
const daySeconds = 86_400;
const patienceMs = 60_000;
/** host.json's own. */
const pollingMs = 2_000;
const secret = 'orders-db';
const awaited = 'awaited-db';

interface Scene {
  readonly azure: LocalAzure;
  readonly storage: CountedStorage;
}

export const run: Run = async (options) => {
  const storage = await startCountedStorage();
  try {
    const azure = await startLocalAzure({
      storage,
      settings: { KEYTURN_SWEEP_SCHEDULE: never, KEYTURN_DRIFT_SCHEDULE: never },
      queues: { maxPollingMs: pollingMs },
    });
    try {
      return await measure({ azure, storage }, options);
    } finally {
      await azure.close();
    }
  } finally {
    await storage.close();
  }
};

async function measure(scene: Scene, { quick, progress }: BenchOptions): Promise<readonly BenchCase[]> {
  await plant(scene.azure, 'warm-up');
  await until(scene, 'retired', 'warm-up');
  progress('a rotation');
  const rotation = await counted(scene, 'event to retired', async () => {
    await plant(scene.azure, secret);
    await until(scene, 'retired', secret);
  });
  await plant(scene.azure, awaited, { days: 85, tags: { consumers: 'consumer' } });
  // The new version is looked at once, by its event.
  await sleep(4 * pollingMs);
  progress('an acknowledgement');
  const acknowledgement = await counted(scene, 'acknowledgement', () => acknowledge(scene.azure));
  const secrets = quick ? 30 : 1_000;
  fill(scene.azure, secrets);
  await sleep(4 * pollingMs);
  // The first one looks at each new value once.
  await sweepOnce(scene, 1);
  progress(`a sweep of ${secrets} secrets`);
  const sweep = await counted(scene, `sweep of ${secrets}`, () => sweepOnce(scene, 2));
  const seconds = quick ? 4 : 60;
  progress(`idle for ${seconds} s`);
  await sleep(3 * pollingMs);
  const idle = await counted(scene, 'idle hour', () => sleep(seconds * 1_000));
  return [rotation, acknowledgement, sweep, perHour(idle, seconds)];
}

/** Everything that is counted, all since the start. */
function totals({ azure, storage }: Scene): Counts & { readonly executions: number; readonly vault: number } {
  const executions = azure.host
    .logs()
    .filter((one) => one.category === 'system' && one.message.startsWith('Executed '));
  return { ...storage.counts(), executions: executions.length, vault: azure.vault.calls.total };
}

async function counted(scene: Scene, name: string, work: () => Promise<unknown>): Promise<BenchCase> {
  const before = totals(scene);
  await work();
  // What follows the last line of the log: the end of the execution, the end of the message.
  await sleep(2 * pollingMs);
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
function perHour(idle: BenchCase, seconds: number): BenchCase {
  const factor = 3_600 / (seconds + (2 * pollingMs) / 1_000);
  const figures = Object.entries(idle).map(([name, value]) => [
    name,
    typeof value === 'number' ? Math.round(value * factor) : value,
  ]);
  return { name: 'idle hour', ...Object.fromEntries(figures) };
}

/** A login and its secret, near its expiry: the event comes by itself, and the overlap is over at once. */
async function plant(
  { vault, postgres }: LocalAzure,
  name: string,
  { days, tags }: { readonly days: number; readonly tags: Readonly<Record<string, string>> } = { days: 20, tags: {} },
): Promise<void> {
  if (postgres === undefined) throw new Error('this bench needs the database');
  const login = name.replaceAll('-', '_');
  const password = randomBytes(16).toString('hex');
  const admin = new Client({ connectionString: postgres.adminUrl });
  await admin.connect();
  await admin.query(`CREATE ROLE ${login} LOGIN PASSWORD '${password}'`);
  await admin.end();
  vault.put('orders-admin', { value: postgres.adminUrl, tags: { serves: '*' } });
  const { hostname, port } = new URL(postgres.adminUrl);
  vault.put(name, {
    value: `postgres://${login}:${password}@${hostname}:${port}/postgres`,
    tags: { rotator: 'postgres', strategy: 'alternating-users', admin: 'orders-admin', overlap: 'PT1S', ...tags },
    expiresSeconds: vault.clock.nowSeconds() + days * daySeconds,
  });
}

function fill({ vault }: LocalAzure, secrets: number): void {
  for (let number = 0; number < secrets; number++) {
    vault.put(`signing-${number}`, {
      value: `value-${number}`,
      tags: { rotator: 'self-issued' },
      expiresSeconds: vault.clock.nowSeconds() + 85 * daySeconds,
    });
  }
}

async function acknowledge({ vault, host }: LocalAzure): Promise<void> {
  const version = vault.versions(awaited).at(-1)?.id ?? '';
  const answer = await fetch(
    `${host.url}/api/v1/vaults/local/secrets/${awaited}/versions/${version}/acknowledgements`,
    {
      method: 'POST',
      headers: { 'x-keyturn-key': localApiKeys.consumer, 'content-type': 'application/json' },
      body: '{}',
    },
  );
  if (!answer.ok) throw new Error(`the acknowledgement was answered with ${answer.status}: ${await answer.text()}`);
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
