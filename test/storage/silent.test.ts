/** A storage account that accepts connections and never answers: every call ends, and says which service is silent. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import type { RotationRecord } from '../../shared/contract/ports.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { isFailure } from '../../shared/errors.ts';
import { BlobLeases } from '../../shared/storage/blob-leases.ts';
import { connectStorage, type StorageClients } from '../../shared/storage/connect.ts';
import { storageParts } from '../../shared/storage/reach.ts';
import { Records } from '../../shared/storage/state/records.ts';
import { StorageQueues } from '../../shared/storage/storage-queues.ts';
import { TableHistory } from '../../shared/storage/table-history.ts';

let server: Server;
const sockets = new Set<Socket>();
let clients: StorageClients;
beforeAll(async () => {
  server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const at = `http://127.0.0.1:${address.port}/silent`;
  const value = new SecretText(
    `DefaultEndpointsProtocol=http;AccountName=silent;AccountKey=a2V5;BlobEndpoint=${at};QueueEndpoint=${at};TableEndpoint=${at};`,
  );
  clients = connectStorage({ kind: 'connection-string', value }, { getToken: async () => null }, 100);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const record: RotationRecord = {
  ...{ rotationId: 'a'.repeat(32), vault: 'contoso', secret: 'orders', reason: 'due', requestedBy: 'sweep' },
  ...{ activity: 'rotation', startedAt: new Date(), outcome: 'rotated', steps: [] },
};
const queue = { name: 'rotations', schema: z.object({}) };

async function first<Item>(items: AsyncIterable<Item>): Promise<Item> {
  for await (const item of items) return item;
  throw new Error('it ended without a word');
}

const calls: Readonly<Record<string, readonly [string, () => Promise<{ readonly kind: string }>]>> = {
  'a lease is asked for': ['blob', () => new BlobLeases(clients).acquire('contoso', 'orders')],
  'a message is put': ['queue', () => new StorageQueues(clients).enqueue(queue, {}, { secret: 'orders' })],
  'a queue is made': ['queue', () => new StorageQueues(clients).make('rotations')],
  'a record is read': ['table', () => new Records(clients).get(['a'], ['b'])],
  'a record is put': ['table', () => new Records(clients).put(['a'], ['b'], {})],
  'a record is added': ['table', () => new Records(clients).add(['a'], ['b'], {})],
  'a record is removed': ['table', () => new Records(clients).remove(['a'], ['b'])],
  'records are listed': ['table', () => first(new Records(clients).all(['a']))],
  'an attempt is recorded': ['table', () => new TableHistory(clients).record(record)],
  'a history is read': ['table', () => new TableHistory(clients).of('contoso', 'orders', { limit: 1 })],
  'a rotation is looked up': ['table', () => new TableHistory(clients).rotation(record.rotationId)],
  'blobs are tried': ['blob', () => storageParts(clients).blob()],
  'queues are tried': ['queue', () => storageParts(clients).queue()],
  'tables are tried': ['table', () => storageParts(clients).table()],
};

test.each(Object.entries(calls))('when %s, the call ends and names the service', async (_what, [service, call]) => {
  const outcome = await call();
  if (!isFailure(outcome)) throw new Error(outcome.kind);
  expect(outcome).toMatchObject({ code: 'storage-unreachable', class: 'retry' });
  expect(outcome.message).toContain(`${service} service: no answer in time`);
});
