/** An app that has nothing to do says nothing, from its first minute on. */
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ queues: { maxPollingMs: 50 } });
});
afterAll(() => stage.close());

/** Warnings and errors, of the host's own too. */
const said = () => stage.azure.host.logs().filter(({ level }) => !['trace', 'debug', 'information'].includes(level));

test('with a new storage account: every queue is there soon after the start, and then nothing is logged', async () => {
  const service = QueueServiceClient.fromConnectionString(stage.storage.connectionString);
  const all = Object.values(queueNames);
  await stage.until('every queue', async () => {
    const found = await Promise.all(all.map((name) => service.getQueueClient(name).exists()));
    return found.every(Boolean);
  });
  // Each takes longer than a few polls of every queue.
  await stage.said('rotated', (await stage.plant('idle-once')).name);
  await stage.settled();
  const before = said().length;
  await stage.said('rotated', (await stage.plant('idle-twice')).name);
  await stage.settled();
  expect(said().slice(before)).toEqual([]);
});
