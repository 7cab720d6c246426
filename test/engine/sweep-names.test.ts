import { expect, test } from 'vitest';
import type { Queues } from '../../shared/contract/ports.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Trouble } from '../../shared/contract/state.ts';
import { type Found, walk } from '../../shared/engine/sweep/walk.ts';
import { sweepAll } from '../../shared/operations/sweep-all.ts';
import { dayMs, makeWorld } from './world.ts';

test('a walk hands over what there is to act on, and neither what is healthy nor what did not opt in', async () => {
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
  const report = await walk(world.deps(), world.vault, act, AbortSignal.timeout(10_000));
  expect(report).toMatchObject({ listed: 4, managed: 2, due: 1 });
  expect(handed.map(({ secret, finding }) => [secret, finding.kind])).toEqual([[world.secret, 'due']]);
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
          marks: { has: async () => ({ kind: 'known', marked: false }), put: async () => ({ kind: 'marked' }) },
          freeze: {
            read: async () => ({ kind: 'freeze', frozen: false }),
            set: async () => ({ kind: 'freeze', frozen: false }),
          },
          attention: {
            all: async function* () {
              yield { kind: 'secret', secret: kept, trouble };
            },
            of: async () => trouble,
            failed: async () => trouble,
            cleared: async () => ({ kind: 'cleared' }),
          },
        },
        AbortSignal.timeout(10_000),
      );
    await sweepWith({ kind: 'trouble', failures: 5, quarantined: true });
    expect(sent).toEqual([]);
    await sweepWith({ kind: 'trouble', failures: 1, quarantined: false });
    expect(sent).toEqual([listed]);
  },
);
