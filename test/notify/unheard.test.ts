/** News that no channel waits for is not put into the queue; all other news, and all other messages, are. */
import { expect, test } from 'vitest';
import type { Channel } from '../../shared/config/channels.ts';
import type { Queues } from '../../shared/contract/ports.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { withoutUnheard } from '../../shared/notify/unheard.ts';
import { notificationsQueue } from '../../shared/operations/queues.ts';
import { channelsOf, rotatedNotice } from './world.ts';

const channels = channelsOf({
  ops: { kind: 'webhook', url: 'https://ops.contoso.com', signingSecret: 'ops-key', types: ['failed'] },
  shop: { kind: 'webhook', url: 'https://shop.contoso.com', signingSecret: 'shop-key' },
});

async function told(
  standard: readonly string[],
  notice = rotatedNotice(),
  known: ReadonlyMap<string, Channel> = channels,
) {
  const put: string[] = [];
  const queues: Queues = {
    enqueue: async ({ name }) => {
      put.push(name);
      return { kind: 'enqueued' };
    },
  };
  const outcome = await withoutUnheard(queues, { channels: known, standard }).enqueue(notificationsQueue, notice, {
    secret: notice.secret,
  });
  expect(outcome.kind).toBe('enqueued');
  return put;
}

test.each([
  ['there is no channel', [], rotatedNotice()],
  ['the only channel wants other news', ['ops'], rotatedNotice()],
  ['the notice names the channel that wants other news', ['shop'], rotatedNotice({ channels: ['OPS'] })],
])('nothing is put into the queue: %s', async (_, standard, notice) => {
  expect(await told(standard, notice)).toEqual([]);
});

test.each([
  ['a channel wants it', ['ops', 'shop'], rotatedNotice()],
  [
    'the notice names a channel that is not there, which people must learn of',
    [],
    rotatedNotice({ channels: ['nobody'] }),
  ],
  ['the standard names a channel that is not there', ['nobody'], rotatedNotice()],
  ['a channel of failures gets a failure', ['ops'], rotatedNotice({ type: 'failed' })],
])('it is put into the queue: %s', async (_, standard, notice) => {
  expect(await told(standard, notice)).toEqual([queueNames.notifications]);
});
