import { inspect } from 'node:util';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import type { RotationRecord } from '../../shared/contract/ports.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { Bug } from '../../shared/errors.ts';
import { connectStorage, type StorageClients } from '../../shared/storage/connect.ts';
import { StorageQueues } from '../../shared/storage/storage-queues.ts';
import { historyTable, stepsJson, TableHistory } from '../../shared/storage/table-history.ts';

const noCredential = { getToken: async () => null };
const dayMs = 24 * 60 * 60 * 1000;
let azurite: Azurite;
let clients: StorageClients;

const connect = (connectionString: string) =>
  connectStorage({ kind: 'connection-string', value: new SecretText(connectionString) }, noCredential);

beforeAll(async () => {
  azurite = await startAzurite();
  clients = connect(azurite.connectionString);
});
afterAll(() => azurite.close());

const message = z.object({ secret: z.string(), note: z.string().optional() });
const queueOf = (name: string) => ({ name, schema: message });

async function received(name: string) {
  const queue = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient(name);
  const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 10 });
  return receivedMessageItems;
}

describe('a queue', () => {
  it('is made when missing, and gives the message in base64 as the functions read it', async () => {
    const queues = new StorageQueues(clients);
    expect(await queues.enqueue(queueOf('fresh'), { secret: 'orders-ü' }, { secret: 'orders' })).toMatchObject({
      kind: 'enqueued',
    });
    const [first] = await received('fresh');
    expect(JSON.parse(Buffer.from(first?.messageText ?? '', 'base64').toString('utf8'))).toEqual({
      secret: 'orders-ü',
    });
    expect(first?.expiresOn.getFullYear()).toBeGreaterThan(2100);
  });

  it('made by two at once gives both messages', async () => {
    const queues = new StorageQueues(clients);
    const both = ['a', 'b'].map((secret) => queues.enqueue(queueOf('twice'), { secret }, { secret }));
    expect(await Promise.all(both)).toMatchObject([{ kind: 'enqueued' }, { kind: 'enqueued' }]);
    expect(await received('twice')).toHaveLength(2);
  });

  it('takes a message back while nobody has got it, and leaves one alone that somebody has', async () => {
    const queues = new StorageQueues(clients);
    const send = async (delayMs: number) => {
      const sent = await queues.enqueue(queueOf('taken-back'), { secret: 'a' }, { secret: 'a', delayMs });
      return sent.kind === 'enqueued' ? sent.withdraw?.bind(sent) : undefined;
    };
    const [hidden, seen] = [await send(60_000), await send(0)];
    const queue = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient('taken-back');
    const [got] = (await queue.receiveMessages({ visibilityTimeout: 60 })).receivedMessageItems;
    await hidden?.();
    await seen?.();
    expect((await queue.getProperties()).approximateMessagesCount).toBe(1);
    await queue.deleteMessage(got?.messageId ?? '', got?.popReceipt ?? '');
    await hidden?.();
  });

  it('hides a message for its delay', async () => {
    const queues = new StorageQueues(clients);
    expect(await queues.enqueue(queueOf('later'), { secret: 'a' }, { secret: 'a', delayMs: 7 * dayMs })).toMatchObject({
      kind: 'enqueued',
    });
    expect(await received('later')).toEqual([]);
  });

  it('takes no message that is not one of its own, too long, or hidden for more than a week', async () => {
    const queues = new StorageQueues(clients);
    const wrong = { secret: 7 } as unknown as { secret: string };
    await expect(queues.enqueue(queueOf('q-one'), wrong, { secret: 'a' })).rejects.toThrow(z.ZodError);
    const long = { secret: 'a', note: 'x'.repeat(50_000) };
    await expect(queues.enqueue(queueOf('q-one'), long, { secret: 'a' })).rejects.toThrow(Bug);
    const late = { secret: 'a', delayMs: 8 * dayMs };
    await expect(queues.enqueue(queueOf('q-one'), { secret: 'a' }, late)).rejects.toThrow(Bug);
  });
});

const record = (more: Partial<RotationRecord> = {}): RotationRecord => ({
  rotationId: 'a'.repeat(32),
  vault: 'contoso',
  secret: 'orders-db',
  activity: 'rotation',
  reason: 'near-expiry',
  requestedBy: 'sweep',
  startedAt: new Date('2026-03-01T12:00:00Z'),
  outcome: 'running',
  steps: [{ name: 'apply', ms: 12.5, outcome: 'applied' }],
  ...more,
});

describe('the history', () => {
  it('of a storage account that never saw a rotation is empty', async () => {
    expect(await new TableHistory(clients).of('contoso', 'nothing', { limit: 5 })).toEqual({
      kind: 'listed',
      records: [],
    });
  });

  it('gives back what was recorded, the newest first, of that secret only', async () => {
    const history = new TableHistory(clients);
    const first = record();
    const second = record({
      rotationId: 'b'.repeat(32),
      startedAt: new Date('2026-03-02T12:00:00Z'),
      endedAt: new Date('2026-03-02T12:00:03Z'),
      outcome: 'retrying',
      detail: 'half done',
      nextTryAt: new Date('2026-03-02T13:00:00Z'),
      warnings: ['Node 2 has no ACL file.', 'Line 1\nline 2'],
      from: '1'.repeat(32),
      failure: { code: 'target-unreachable', message: 'no answer', hint: 'Look.' },
    });
    for (const one of [first, second, record({ secret: 'orders-db2' }), record({ vault: 'fabrikam' })]) {
      expect(await history.record(one)).toEqual({ kind: 'recorded' });
    }
    expect(await history.of('Contoso', 'Orders-DB', { limit: 5 })).toEqual({
      kind: 'listed',
      records: [second, first],
    });
    expect(await history.of('contoso', 'orders-db', { limit: 1 })).toEqual({ kind: 'listed', records: [second] });
  });

  it('finds a rotation by its id alone, with its attempts and no others', async () => {
    const history = new TableHistory(clients);
    const rotationId = 'c'.repeat(32);
    const asked = record({ secret: 'by-id', rotationId, outcome: 'queued' });
    const done = record({ secret: 'by-id', rotationId, startedAt: new Date('2026-03-01T12:00:05Z') });
    for (const one of [asked, done, record({ secret: 'by-id', rotationId: 'd'.repeat(32) })]) await history.record(one);
    expect(await new TableHistory(clients).rotation(rotationId)).toEqual({ kind: 'listed', records: [done, asked] });
    const nothing = { kind: 'listed', records: [] };
    expect(await history.rotation('e'.repeat(32))).toEqual(nothing);
    expect(await history.rotation("' or PartitionKey ne '")).toEqual(nothing);
    expect(await history.of('contoso', 'by-id', { limit: 9 })).toMatchObject({ records: { length: 3 } });
  });

  it('keeps one row of an attempt that is recorded as it goes on', async () => {
    const history = new TableHistory(clients);
    const done = record({
      secret: 'going',
      outcome: 'rotated',
      to: '2'.repeat(32),
      endedAt: new Date('2026-03-01T12:00:09Z'),
    });
    await history.record(record({ secret: 'going' }));
    await history.record(done);
    await history.record(done);
    expect(await history.of('contoso', 'going', { limit: 5 })).toEqual({ kind: 'listed', records: [done] });
  });

  it('takes texts and steps of any length', async () => {
    const history = new TableHistory(clients);
    const steps = Array.from({ length: 5_000 }, (_, index) => ({
      name: `step ${index}`,
      ms: index,
      outcome: 'ü'.repeat(900),
    }));
    expect(await history.record(record({ secret: 'long', reason: 'x'.repeat(100_000), steps }))).toEqual({
      kind: 'recorded',
    });
    const listed = await history.of('contoso', 'long', { limit: 1 });
    const shown = listed.kind === 'listed' ? (listed.records[0]?.steps ?? []) : [];
    expect(shown[0]?.name).toBe('step 0');
    expect(shown.at(-1)?.name).toBe('step 4999');
    expect(shown.find((one) => one.name === 'left out')?.outcome).toMatch(/^49\d\d steps$/);
    expect(stepsJson([])).toBe('[]');
  });
});

describe('a record that this version cannot read', () => {
  it('is a mistake to be mended, and not a storage account that is unreachable', async () => {
    const history = new TableHistory(clients);
    const rotationId = 'e'.repeat(32);
    await history.record(record({ rotationId }));
    const index = { partitionKey: `id:${rotationId}`, rowKey: 'rotation', secret: 7 };
    await clients.table(historyTable).upsertEntity(index, 'Replace');
    await expect(history.rotation(rotationId)).rejects.toThrow(Bug);
  });
});

describe('a storage account that is down', () => {
  it('is named by service, without its key', async () => {
    const gone = await startAzurite();
    const lost = connect(gone.connectionString);
    await gone.close();
    const outcomes = await Promise.all([
      new StorageQueues(lost).enqueue(queueOf('any'), { secret: 'a' }, { secret: 'a' }),
      new TableHistory(lost).record(record()),
      new TableHistory(lost).of('contoso', 'orders-db', { limit: 1 }),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ kind: 'failed', code: 'storage-unreachable', class: 'retry' });
      expect(inspect(outcome, { depth: 10, showHidden: true })).not.toContain(gone.key);
    }
    expect(outcomes.map((one) => ('message' in one ? one.message : '').match(/queue|table/)?.[0])).toEqual([
      'queue',
      'table',
      'table',
    ]);
  });
});
