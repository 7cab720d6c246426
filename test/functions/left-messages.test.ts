/** What lies in queues without a trigger: the sweep names it, or moves it to where it is worked off. */
import { beforeEach, expect, test } from 'vitest';
import { readLeftMessages } from '../../functions/left-messages.ts';
import { poisonQueueOf, queueNames } from '../../shared/contract/queue-names.ts';
import { failure } from '../../shared/errors.ts';
import type { LogFields } from '../../shared/telemetry.ts';
import { inMemory } from '../fuzz/in-memory.ts';

const named = { vault: 'contoso-kv', secret: 'orders-db' };
const base64 = (message: unknown) => Buffer.from(JSON.stringify(message)).toString('base64');
const notice = { ...named, id: 'n', type: 'rotated', rotationId: 'r', at: '2026-03-01T02:14:07.000Z' };

const lying = new Map<string, string[]>();
const broken = new Set<string>();
beforeEach(() => {
  lying.clear();
  broken.clear();
});

async function sweep() {
  const { app, enqueued } = inMemory();
  const lines: LogFields[] = [];
  const write = (event: string, fields: LogFields = {}) => void lines.push({ event, ...fields });
  const left = {
    take: async (queue: string) => {
      if (broken.has(queue)) return failure('storage-unreachable', { secret: queue, detail: 'down' });
      const texts = (lying.get(queue) ?? []).slice(0, 32);
      const messages = texts.map((text) => ({
        text,
        remove: async () => void lying.set(queue, lying.get(queue)?.filter((one) => one !== text) ?? []),
      }));
      return { kind: 'taken' as const, messages };
    },
  };
  await readLeftMessages({ ...app, left }, { info: write, warn: write, error: write });
  return { enqueued, lines, left: [...lying.values()].flat() };
}

test.each([
  ['a request to rotate', queueNames.rotations, named],
  ['a retirement', queueNames.retirements, { ...named, rotationId: 'r'.repeat(32), mode: 'scheduled' }],
  ['a check', queueNames.checks, named],
  [
    'an event of the vault',
    queueNames.secretEvents,
    {
      id: '1',
      type: 'Microsoft.KeyVault.SecretNearExpiry',
      data: { VaultName: named.vault, ObjectName: named.secret, Version: 'a'.repeat(32) },
    },
  ],
])('%s that was delivered too often is named, told to people, and removed', async (_, queue, message) => {
  lying.set(poisonQueueOf(queue), [base64(message)]);
  const { enqueued, lines, left } = await sweep();
  expect(lines).toEqual([expect.objectContaining({ event: 'message-poisoned', ...named })]);
  expect(enqueued).toEqual([
    { queue: queueNames.notifications, message: expect.objectContaining({ ...named, type: 'failed' }) },
  ]);
  expect(left).toEqual([]);
});

test.each(['not base64!', '{"vault":"contoso-kv","secret":', 'bm8gSlNPTg=='])(
  'a text that is no message is named with the queue, and removed: %s',
  async (text) => {
    lying.set(poisonQueueOf(queueNames.checks), [text]);
    const { lines, left } = await sweep();
    expect(lines).toEqual([expect.objectContaining({ event: 'message-poisoned', queue: queueNames.checks })]);
    expect(left).toEqual([]);
  },
);

test('a message that somebody put there as plain JSON names its secret too', async () => {
  lying.set(poisonQueueOf(queueNames.rotations), [JSON.stringify(named)]);
  expect((await sweep()).lines).toEqual([expect.objectContaining({ event: 'message-poisoned', ...named })]);
});

test('a delivery that waited in the queue of the version before goes on in the queue of news', async () => {
  const delivery = { notice, channel: 'ops', attempts: 3, firstAt: '2026-03-01T02:14:08.000Z' };
  lying.set('deliveries', [base64(delivery)]);
  const { enqueued, lines, left } = await sweep();
  expect(enqueued).toEqual([{ queue: queueNames.notifications, message: delivery }]);
  expect({ lines, left }).toEqual({ lines: [], left: [] });
});

test('what lies in the queue of the version before and is no delivery is named', async () => {
  lying.set('deliveries', [base64({ channel: 'ops' })]);
  const { enqueued, lines, left } = await sweep();
  expect(lines).toEqual([expect.objectContaining({ event: 'message-poisoned', queue: 'deliveries', channel: 'ops' })]);
  expect({ enqueued, left }).toEqual({ enqueued: [], left: [] });
});

test('a queue that cannot be read is left to the next sweep, and keeps no other from being read', async () => {
  broken.add(poisonQueueOf(queueNames.rotations));
  lying.set(poisonQueueOf(queueNames.checks), [base64(named)]);
  const { lines } = await sweep();
  expect(lines.map(({ event }) => event).sort()).toEqual(['left-messages-unread', 'message-poisoned']);
});

test('a flood is named over several sweeps', async () => {
  const texts = Array.from({ length: 400 }, (_, at) => base64({ ...named, secret: `flood-${at}` }));
  lying.set(poisonQueueOf(queueNames.rotations), texts);
  expect((await sweep()).left).toHaveLength(80);
  expect((await sweep()).left).toHaveLength(0);
});
