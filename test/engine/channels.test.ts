/** A tag `notify` with a name that is no channel: said by the sweep and the plan, and nothing waits for it. */

import { expect, test } from 'vitest';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { plan } from '../../shared/operations/inspect.ts';
import { sweep } from '../../shared/operations/sweep.ts';
import { MemoryAttention, MemoryToldBefore } from './kept.ts';
import { makeWorld } from './world.ts';

const signal = () => AbortSignal.timeout(10_000);

function engineWith(notify: string) {
  const world = makeWorld('single-user', { notify });
  const engine = world.deps();
  return { world, engine: { ...engine, defaults: { ...engine.defaults, channels: new Set(['ops', 'shop']) } } };
}

test('the sweep names it once, and the secret is rotated all the same', async () => {
  const { world, engine } = engineWith('ops, shpo');
  const sent: { queue: string; message: unknown }[] = [];
  const deps = {
    engine,
    queues: {
      enqueue: async (queue: { name: string }, message: unknown) => {
        sent.push({ queue: queue.name, message });
        return { kind: 'enqueued' as const };
      },
    },
    attention: new MemoryAttention(),
    toldBefore: new MemoryToldBefore(),
    jitterMs: 0,
    random: () => 0,
  };
  const freeze = { kind: 'freeze', frozen: false } as const;
  for (const _ of [1, 2])
    expect(await sweep(deps, world.vault, freeze, signal())).toMatchObject({ due: 1, invalid: 0 });
  expect(sent.map(({ queue }) => queue).sort()).toEqual([
    queueNames.notifications,
    queueNames.rotations,
    queueNames.rotations,
  ]);
  expect(sent.find(({ queue }) => queue === queueNames.notifications)?.message).toMatchObject({
    type: 'failed',
    failure: { code: 'channel-unknown', message: expect.stringContaining('"shpo"') },
  });
});

test.each([
  ['ops, shpo', 'failed'],
  ['Ops shop', 'passed'],
])('the plan of a secret with notify=%s says that it %s', async (notify, state) => {
  const { world, engine } = engineWith(notify);
  const outcome = await plan(engine, world.vault, { secret: world.secret, mode: 'asked' }, signal());
  if (outcome.kind !== 'plan') throw new Error(JSON.stringify(outcome));
  expect(outcome.checks.find((check) => check.name === 'notify')).toMatchObject({ state });
});
