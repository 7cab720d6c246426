/** What a listing says may have been written by anybody who may edit one secret. It must not stop the sweep for all others. */

import { expect, test } from 'vitest';
import type { Queues } from '../../shared/contract/ports.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { sweep } from '../../shared/operations/sweep.ts';
import { MemoryAttention, MemoryToldBefore } from './kept.ts';
import { dayMs, makeWorld } from './world.ts';

const version = 'b'.repeat(32);
const id = 'a'.repeat(32);

/** Sweeps a world with one due secret and one more. What was enqueued, as the queue's schema lets it through. */
async function sweepBeside(name: string, tags: Readonly<Record<string, string>>) {
  const world = makeWorld('single-user');
  world.vault.put(name, { value: new SecretText('x'), tags });
  const sent: { readonly queue: string; readonly message: unknown }[] = [];
  const queues: Queues = {
    enqueue: async (queue, message) => {
      sent.push({ queue: queue.name, message: queue.schema.parse(message) });
      return { kind: 'enqueued' };
    },
  };
  const kept = { attention: new MemoryAttention(), toldBefore: new MemoryToldBefore() };
  const deps = { engine: world.deps(), queues, ...kept, jitterMs: 0, random: () => 0 };
  const report = await sweep(deps, world.vault, { kind: 'freeze', frozen: false }, AbortSignal.timeout(10_000));
  return {
    report,
    sent,
    due: { vault: world.vault.name, secret: world.secret, mode: 'scheduled', requestedBy: 'sweep' },
  };
}

const past = '2020-01-01T00:00:00Z';

test.each([
  ['an id that is none', { rotator: 'memory', rotation: `id=zzz;from=${version};retire-by=${past}` }],
  ['a version that is none', { rotator: 'memory', rotation: `id=${id};from=../../secrets/x;retire-by=${past}` }],
])('a stamp with %s counts as none, and the sweep goes on', async (_what, tags) => {
  const { report, sent, due } = await sweepBeside('hostile', tags);
  expect(report).toMatchObject({ kind: 'swept' });
  expect(sent.filter(({ queue }) => queue === queueNames.retirements)).toEqual([]);
  expect(sent.map(({ message }) => message)).toContainEqual(due);
});

test.each(['not a name', '💣', 'x'.repeat(200), '', 'somebody-else'])(
  'a stored candidate that says it is for "%s" starts nothing, and the sweep goes on',
  async (secret) => {
    const tags = { 'pending-of': secret, rotation: `id=${id};from=${version}` };
    const { report, sent, due } = await sweepBeside('keyturn-pending-hostile', tags);
    expect(report).toMatchObject({ kind: 'swept', stalled: 0 });
    expect(sent.map(({ message }) => message)).toEqual([due]);
  },
);

test('a secret that opted in under the name of a stored candidate is named, not passed over', async () => {
  const { sent } = await sweepBeside('keyturn-pending-orders', { rotator: 'memory' });
  const news = sent.filter(({ queue }) => queue === queueNames.notifications).map(({ message }) => message);
  expect(news).toMatchObject([{ type: 'failed', secret: 'keyturn-pending-orders', failure: { code: 'tag-invalid' } }]);
});

test('a retirement that fails again and again does not keep a secret from being rotated before it expires', async () => {
  const world = makeWorld('alternating-users', {
    rotation: `id=${id};from=${version};retire-by=${past}`,
  });
  const sent: string[] = [];
  const queues: Queues = {
    enqueue: async (queue) => {
      sent.push(queue.name);
      return { kind: 'enqueued' };
    },
  };
  const kept = { attention: new MemoryAttention(), toldBefore: new MemoryToldBefore() };
  world.vault.now = new Date(world.vault.now.getTime() + dayMs);
  const report = await sweep(
    { engine: world.deps(), queues, ...kept, jitterMs: 0, random: () => 0 },
    world.vault,
    { kind: 'freeze', frozen: false },
    AbortSignal.timeout(10_000),
  );
  expect(report).toMatchObject({ retirements: 1, due: 1, managed: 1 });
  expect(sent).toEqual([queueNames.retirements, queueNames.rotations]);
});
