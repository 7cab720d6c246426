/** The app with wrong settings: it says so wherever it is asked, does no work, and loses none that is asked for. */
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { type FunctionsHost, type LogRecord, startFunctionsHost } from '../../local/functions-host/index.ts';
import { startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import { problemBody } from '../../shared/api/problem.ts';
import { poisonQueueOf, queueNames } from '../../shared/contract/queue-names.ts';
import { logged, saying } from '../local/functions-app.ts';
import { builtApp } from './built-app.ts';

const wrong = {
  KEYTURN_OVERLAP: 'two days',
  KEYTURN_SWEEP_SCHEDULE: 'every now and then',
  KEYTURN_VAULT: 'https://mistyped.vault.azure.net',
};
const named = [...Object.keys(wrong), 'KEYTURN_VAULTS'];
const values = Object.values(wrong);

/** Three processes start, on a machine that may have other work. */
const startsWithinMs = 150_000;

let storage: Azurite;
let vault: VaultEmulator;
let host: FunctionsHost;
beforeAll(async () => {
  [storage, vault] = await Promise.all([startAzurite(), startVaultEmulator({ name: 'local' })]);
  host = await start(wrong);
}, startsWithinMs);
afterAll(async () => {
  await host.close();
  await Promise.all([storage.close(), vault.close()]);
});

async function start(settings: Readonly<Record<string, string>>): Promise<FunctionsHost> {
  return startFunctionsHost({
    folder: await builtApp(),
    settings: { AzureWebJobsStorage: storage.connectionString, ...settings },
    // A dozen queues that nobody has made are polled, and each poll is answered and logged: more often would take the machine for itself. A
    // message that the host took and had not begun when it was closed comes back when its lock runs out.
    queues: { maxPollingMs: 250, retrySeconds: 0, lockSeconds: 10 },
  });
}

function expectNamed(text: string): void {
  for (const name of named) expect(text).toContain(name);
  for (const value of values) expect(text).not.toContain(value);
}

/** What the log says at error level of a function, once it has said anything. */
async function errorOf(functionName: string): Promise<string> {
  const [record] = await logged(
    host,
    (one) => one.functionName === functionName && one.level === 'error' && one.category === 'user',
  );
  return record?.message ?? '';
}

const queueNamed = (name: string) =>
  QueueServiceClient.fromConnectionString(storage.connectionString).getQueueClient(name);

const depth = async (queue: string): Promise<number> => {
  const client = queueNamed(queue);
  return (await client.exists()) ? ((await client.getProperties()).approximateMessagesCount ?? 0) : 0;
};

test.each([
  ['GET', '/api/v1/health'],
  ['HEAD', '/api/v1/health'],
  ['GET', '/api/v1/secrets'],
  ['GET', '/api/v1/no-such-route'],
  ['POST', '/api/v1/vaults/local/secrets/orders-db/rotate'],
  ['POST', '/api/v1/alerts'],
])('%s %s is answered with 503 and every wrong setting', async (method, path) => {
  const answer = await fetch(`${host.url}${path}`, { method });
  const text = await answer.text();
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([503, 'no-store']);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  if (method === 'HEAD') return;
  const { code, detail } = problemBody.parse(JSON.parse(text));
  expect(code).toBe('settings-wrong');
  expectNamed(detail);
});

test('the dashboard is served all the same, to show what the API answers', async () => {
  const page = await fetch(`${host.url}/`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  const nowhere = await fetch(`${host.url}/api/v2/secrets`);
  expect([nowhere.status, problemBody.parse(await nowhere.json()).code]).toEqual([404, 'route-unknown']);
});

test('the log names every wrong setting at error level, right after the start and with each request', async () => {
  expectNamed(await errorOf('sweep'));
  expectNamed(await errorOf('api'));
});

test('an event is refused, so that Event Grid sends it again', async () => {
  const event = { eventType: 'Microsoft.KeyVault.SecretNearExpiry', data: {} };
  const answer = await fetch(host.eventGridUrl('onSecretEvent'), {
    method: 'POST',
    headers: { 'aeg-event-type': 'Notification' },
    body: JSON.stringify([event]),
  });
  expect(answer.status).toBe(500);
  expectNamed(await errorOf('onSecretEvent'));
  expect(await depth(poisonQueueOf(queueNames.rotations))).toBe(0);
});

test('an event that Event Grid put into the queue is refused more often than a message is delivered, and is no poison', async () => {
  const queue = queueNamed(queueNames.secretEvents);
  await queue.createIfNotExists();
  const event = { type: 'Microsoft.KeyVault.SecretNearExpiry', data: {} };
  await queue.sendMessage(Buffer.from(JSON.stringify(event)).toString('base64'));
  const refused = (one: LogRecord) =>
    one.functionName === 'onSecretEventQueue' && one.category === 'user' && one.level === 'error';
  await logged(host, refused, 12);
  expectNamed(await errorOf('onSecretEventQueue'));
  expect(host.logs().some(saying('Moving message to queue'))).toBe(false);
  await queue.delete();
});

test(
  'a request in a queue is never given up: it is done once the settings are right',
  async () => {
    vault.put('signing', { value: 'a-signing-key-of-a-test-that-nobody-guesses', tags: { rotator: 'self-issued' } });
    const request = {
      vault: 'local',
      secret: 'signing',
      mode: 'asked',
      requestedBy: 'a test',
      rotationId: 'a'.repeat(32),
    };
    const queue = queueNamed(queueNames.rotations);
    await queue.createIfNotExists();
    await queue.sendMessage(Buffer.from(JSON.stringify(request)).toString('base64'));
    const refused = ({ functionName, category, level }: LogRecord) =>
      functionName === 'rotate' && category === 'user' && level === 'error';
    // More often than a message is delivered before it is poison.
    await logged(host, refused, 12);
    expectNamed(await errorOf('rotate'));
    expect(host.logs().some(saying('Moving message to queue'))).toBe(false);
    await host.close();

    host = await start({ KEYTURN_VAULTS: `local=${vault.url}`, KEYTURN_CREDENTIAL: 'local' });
    await logged(host, saying('"event":"rotated"'));
    expect(vault.versions('signing')).toHaveLength(2);
    expect(await depth(poisonQueueOf(queueNames.rotations))).toBe(0);
  },
  startsWithinMs,
);
