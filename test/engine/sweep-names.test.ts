import { expect, test } from 'vitest';
import type { Queues } from '../../shared/contract/ports.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Trouble } from '../../shared/contract/state.ts';
import { calm } from '../../shared/contract/trouble.ts';
import { type Found, walk } from '../../shared/engine/sweep/walk.ts';
import { sweepAll } from '../../shared/operations/sweep-all.ts';
import { MemoryToldBefore } from './kept.ts';
import { dayMs, makeWorld } from './world.ts';

test('a walk hands over every managed secret with what was found, and none that did not opt in', async () => {
  const world = makeWorld('single-user');
  const { tags, value } = world.vault.newest(world.secret);
  const expiresAt = new Date(world.vault.now.getTime() + 90 * dayMs);
  world.vault.put('healthy-db', { value, tags, expiresAt });
  world.vault.put('of-somebody-else', { value: new SecretText('x'), tags: {} });
  const handed: Found[] = [];
  const act = async (found: readonly Found[]) => {
    handed.push(...found);
    return undefined;
  };
  const report = await walk(world.deps(), world.vault, { known: () => ({}), act }, AbortSignal.timeout(10_000));
  expect(report).toMatchObject({ listed: 4, managed: 2, due: 1 });
  expect(handed.map(({ properties, finding }) => [properties.name, finding.kind]).sort()).toEqual([
    ['healthy-db', 'healthy'],
    [world.secret, 'due'],
  ]);
});

test.each([
  ['Orders-DB', 'orders-db'],
  ['orders-db', 'Orders-DB'],
])(
  'a secret listed as %s that is held back as %s is held back: names of secrets have no case',
  async (listed, kept) => {
    const world = makeWorld('single-user');
    const { tags, value, expiresAt } = world.vault.newest(world.secret);
    world.vault.secrets.delete(world.secret);
    world.vault.put(listed, { value, tags, ...(expiresAt === undefined ? {} : { expiresAt }) });
    const sent: string[] = [];
    const queues: Queues = {
      enqueue: async (_queue, _message, { secret }) => {
        sent.push(secret);
        return { kind: 'enqueued' };
      },
    };
    const sweepWith = (trouble: Trouble) =>
      sweepAll(
        {
          ...{ engine: world.deps(), queues, jitterMs: 0, random: () => 0 },
          toldBefore: new MemoryToldBefore(),
          freeze: {
            read: async () => ({ kind: 'freeze', frozen: false }),
            set: async () => ({ kind: 'freeze', frozen: false }),
          },
          attention: {
            all: async function* () {
              yield { kind: 'secret', secret: kept, trouble };
            },
            cleared: async () => ({ kind: 'cleared' }),
          },
        },
        AbortSignal.timeout(10_000),
      );
    const at = world.vault.now;
    const last = { code: 'admin-refused', message: 'refused', hint: 'look', at };
    const rotation = { failures: 5, retries: 0, since: at, last, unpublished: false };
    const nextTryAt = new Date(at.getTime() + dayMs);
    await sweepWith({ kind: 'trouble', rotation: { ...rotation, paused: true, nextTryAt } });
    expect(sent).toEqual([]);
    await sweepWith(calm);
    expect(sent).toEqual([listed]);
  },
);
