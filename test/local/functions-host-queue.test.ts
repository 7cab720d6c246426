import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import type { FunctionsHost, LogRecord } from '../../local/functions-host/index.ts';
import { logged, saying, startFixture } from './functions-app.ts';

let azurite: Azurite;
const hosts: FunctionsHost[] = [];
let counter = 0;

beforeAll(async () => {
  azurite = await startAzurite();
});
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});
afterAll(() => azurite?.close());

const encoded = (message: unknown) => Buffer.from(JSON.stringify(message)).toString('base64');
const queueOf = (name: string) =>
  QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient(name);

async function freshQueue(): Promise<{ name: string; queue: QueueClient; poison: QueueClient }> {
  const name = `work-${counter++}`;
  const queue = queueOf(name);
  await queue.create();
  return { name, queue, poison: queueOf(`${name}-poison`) };
}

async function start(name: string, more: Parameters<typeof startFixture>[1] = {}): Promise<FunctionsHost> {
  const host = await startFixture(azurite.connectionString, {
    queues: { maxPollingMs: 50 },
    ...more,
    settings: { WORK_QUEUE: name },
  });
  hosts.push(host);
  return host;
}

async function empty(queue: QueueClient): Promise<boolean> {
  return (await queue.getProperties()).approximateMessagesCount === 0;
}

test('a JSON message arrives as an object and is deleted when the function has ended', async () => {
  const { name, queue } = await freshQueue();
  const running = await start(name);
  await queue.sendMessage(encoded({ id: 'one' }));
  await logged(running, saying('{"began":"one","attempt":1,"kind":"object"}'));
  await logged(running, saying("Executed 'Functions.work' (Succeeded"));
  await expect.poll(() => empty(queue), { timeout: 10_000 }).toBe(true);
});

test('a message whose function fails is tried as often as host.json says and ends in the poison queue unchanged', async () => {
  const { name, queue } = await freshQueue();
  const running = await start(name);
  await queue.sendMessage(encoded({ id: 'bad', does: 'fail' }));
  await logged(running, saying(`Moving message to queue '${name}-poison'`));
  await logged(running, saying('{"poisoned":{"id":"bad","does":"fail"}}'));
  await expect.poll(() => empty(queue), { timeout: 10_000 }).toBe(true);
  const attempts = running.logs().filter(saying('"began":"bad"'));
  expect(attempts.map(({ message }) => JSON.parse(message).attempt)).toEqual([1, 2, 3]);
});

test('a message that fails in the poison queue stays there and goes nowhere else', async () => {
  const { name, poison } = await freshQueue();
  const running = await start(name, { queues: { maxPollingMs: 50, lockSeconds: 1 } });
  await poison.createIfNotExists();
  await poison.sendMessage(encoded({ id: 'hopeless' }));
  await logged(running, saying('{"poisoned":{"id":"hopeless"}}'), 2);
  expect(await empty(poison)).toBe(false);
  expect(await queueOf(`${name}-poison-poison`).exists()).toBe(false);
});

test('a message in the wrong encoding goes to the poison queue and is never run', async () => {
  const { name, queue, poison } = await freshQueue();
  await poison.create();
  const running = await start(name);
  await queue.sendMessage('{"id":"not base64"}');
  await logged(running, saying(`Moving message to queue '${name}-poison'`));
  await logged(running, saying(`of '${name}-poison' is not base64`));
  const { receivedMessageItems } = await poison.receiveMessages({ visibilityTimeout: 1 });
  expect([receivedMessageItems.length, await empty(poison)]).toEqual([0, false]);
  expect(running.logs().some(saying('began'))).toBe(false);
});

test('a message that takes longer than its lock is renewed, and no other instance gets it', async () => {
  const { name, queue } = await freshQueue();
  const running = await start(name, { instances: 2, queues: { maxPollingMs: 50, lockSeconds: 1 } });
  await queue.sendMessage(encoded({ id: 'slow', does: 'take-a-while' }));
  await logged(running, saying('{"ended":"slow","attempt":1}'));
  await expect.poll(() => empty(queue), { timeout: 10_000 }).toBe(true);
  expect(running.logs().filter(saying('"began":"slow"'))).toHaveLength(1);
});

test('two instances on one queue process each message once', async () => {
  const { name, queue } = await freshQueue();
  const running = await start(name, { instances: 2 });
  const ids = Array.from({ length: 40 }, (_, number) => `n${number}`);
  await Promise.all(ids.map((id) => queue.sendMessage(encoded({ id, does: 'pause' }))));
  const ended = await logged(running, saying('{"ended":'), ids.length);
  await expect.poll(() => empty(queue), { timeout: 10_000 }).toBe(true);
  expect(ended.map(({ message }) => JSON.parse(message).ended).sort()).toEqual([...ids].sort());
  expect(running.logs().filter(saying('"began":'))).toHaveLength(ids.length);
  expect(new Set(ended.map(({ instance }) => instance)).size).toBe(2);
});

test('an instance killed in the middle of a message: the other gets it when the lock has run out', async () => {
  const { name, queue } = await freshQueue();
  const running = await start(name, { instances: 2, queues: { maxPollingMs: 50, lockSeconds: 1 } });
  await queue.sendMessage(encoded({ id: 'orphan', does: 'hang-once' }));
  const [first] = await logged(running, saying('"began":"orphan"'));
  await running.kill(first?.instance ?? 0);
  const [last]: (LogRecord | undefined)[] = await logged(running, saying('{"ended":"orphan","attempt":2}'));
  expect(last?.instance).toBe(first?.instance === 0 ? 1 : 0);
  expect(running.instances.filter((instance) => instance.alive())).toHaveLength(1);
});

test('an output binding makes the queue and sends one message for each element', async () => {
  const running = await start(`work-${counter++}-made`);
  const answer = await fetch(`${running.url}/api/enqueue`, {
    method: 'POST',
    body: JSON.stringify([{ id: 'x' }, { id: 'y' }]),
  });
  expect(answer.status).toBe(202);
  await logged(running, saying('{"ended":"x"'));
  await logged(running, saying('{"ended":"y"'));
});
