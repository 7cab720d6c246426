/** What a sweep finds by looking at others and at the past: shared logins and lost tags, each read once. */
import { describe, expect, test } from 'vitest';
import type { Vault } from '../../shared/contract/ports.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { formatStamp } from '../../shared/engine/policy/stamp.ts';
import { notificationsQueue, retirementsQueue, rotationsQueue } from '../../shared/operations/queues.ts';
import { sweep } from '../../shared/operations/sweep.ts';
import { MemoryAttention, MemoryIrregularities, MemoryToldBefore } from './kept.ts';
import { dayMs, makeWorld } from './world.ts';

function sweeping() {
  const world = makeWorld('alternating-users');
  // What the second secrets below hold logs in, too.
  world.target.logins.set('app', new Set([world.firstPassword, 'p']));
  world.target.logins.set('app_alt', new Set(['p']));
  world.logins.complete.clear();
  const irregularities = new MemoryIrregularities();
  const kept = { attention: new MemoryAttention(), toldBefore: new MemoryToldBefore() };
  const reads: string[] = [];
  const listed: string[] = [];
  const counting: Vault = {
    name: world.vault.name,
    read: (name, options) => {
      reads.push(name);
      return world.vault.read(name, options);
    },
    versions: (name) => {
      listed.push(name);
      return world.vault.versions(name);
    },
    write: (name, version) => world.vault.write(name, version),
    change: (name, version, change) => world.vault.change(name, version, change),
    list: () => world.vault.list(),
  };
  const engine = { ...world.deps(), vaults: new Map([[counting.name, counting]]) };
  const messages: { queue: string; body: unknown }[] = [];
  const queues = {
    enqueue: async (queue: { name: string }, body: unknown) => {
      messages.push({ queue: queue.name, body });
      return { kind: 'enqueued' as const };
    },
  };
  const deps = { engine, ...kept, queues, index: { engine, irregularities }, jitterMs: 0, random: () => 0 };
  const run = async () => {
    world.vault.now = new Date(world.vault.now.getTime() + 60_000);
    [reads.length, listed.length, messages.length] = [0, 0, 0];
    const report = await sweep(deps, counting, { kind: 'freeze', frozen: false }, new AbortController().signal);
    if (report.kind === 'failed') throw new Error(report.message);
    expect(report.unread).toBeUndefined();
    return report;
  };
  const put = (name: string, value: object, tags: Record<string, string> = {}) =>
    world.vault.put(name, {
      value: new SecretText(JSON.stringify(value)),
      tags: { rotator: 'memory', strategy: 'alternating-users', admin: 'orders-admin', ...tags },
      expiresAt: new Date(world.vault.now.getTime() + 80 * dayMs),
    });
  const told = () =>
    messages.filter(({ queue }) => queue === notificationsQueue.name).map(({ body }) => JSON.stringify(body));
  return { world, run, put, told, reads, listed, messages, irregularities };
}

const value = (username: string) => ({ username, host: 'db.contoso.test', password: 'p' });

describe('the sweep', () => {
  test('reads each secret once for each of its versions, and none that it knows', async () => {
    const { world, run, put, reads } = sweeping();
    put('reports', value('reports'), { strategy: 'single-user' });
    await run();
    expect(reads.filter((name) => name !== 'orders-admin').sort()).toEqual(['orders-db', 'reports']);
    await run();
    expect(reads).toEqual([]);
    world.vault.newest('reports').tags = { ...world.vault.newest('reports').tags, rotation: 'id=1', requested: 'x' };
    await run();
    expect(reads, 'its own tags are no other version').toEqual([]);
    put('reports', value('reports'), { strategy: 'single-user' });
    await run();
    expect(reads.filter((name) => name !== 'orders-admin')).toEqual(['reports']);
  });

  test('finds two secrets of one login, tells of both once, and begins no rotation of either', async () => {
    const { run, put, told, messages } = sweeping();
    put('orders-copy', value('app'));
    const first = await run();
    const after = await run();
    expect({ ...first.states, ...after.states }).toMatchObject({ shared: 2 });
    const again = await run();
    expect(again.states).toEqual({ shared: 2 });
    expect(told()).toEqual([]);
    expect(messages.filter(({ queue }) => queue === rotationsQueue.name)).toEqual([]);
  });

  test('tells of both in the sweep that finds them, or in the next', async () => {
    const { run, put, told } = sweeping();
    put('orders-copy', value('app_alt'), { strategy: 'single-user' });
    await run();
    const news = told();
    await run();
    const all = [...news, ...told()];
    expect(all.filter((one) => one.includes('login-shared'))).toHaveLength(2);
    expect(all.some((one) => one.includes('"secret":"orders-copy"'))).toBe(true);
    expect(all.some((one) => one.includes('"secret":"orders-db"'))).toBe(true);
    expect(all.join()).not.toContain('"p"');
  });

  test('tells of one that only names the login at that one alone, and begins the rotation of the other', async () => {
    const { world, run, put, told, messages, irregularities } = sweeping();
    put('orders-copy', { ...value('app'), password: 'wrong' });
    world.vault.now = new Date(world.vault.now.getTime() + 15 * dayMs);
    await run();
    const begun = messages.filter(({ queue }) => queue === rotationsQueue.name);
    await run();
    begun.push(...messages.filter(({ queue }) => queue === rotationsQueue.name));
    expect(irregularities.kept.get('orders-copy')).toEqual({ sharedWith: ['orders-db'] });
    expect(irregularities.kept.get('orders-db')).toBeUndefined();
    expect(begun.map(({ body }) => JSON.stringify(body)).join()).toContain('"secret":"orders-db"');
    expect(told().join()).not.toContain('"secret":"orders-db"');
  });

  test('takes it back once they are separated', async () => {
    const { world, run, put, irregularities } = sweeping();
    put('orders-copy', value('app'));
    await run();
    expect(irregularities.kept.size).toBe(2);
    world.vault.newest('orders-copy').tags = { team: 'orders' };
    await run();
    await run();
    expect(irregularities.kept.get('orders-db')).toBeUndefined();
    expect((await run()).states).not.toHaveProperty('shared');
  });

  test('finds everything again from the vault alone when the storage account was lost', async () => {
    const { world, run, put, irregularities } = sweeping();
    put('orders-copy', value('app'));
    world.vault.put('lost-tags', { value: new SecretText('{}'), tags: { rotator: 'memory' } });
    world.vault.put('lost-tags', { value: new SecretText('{}'), tags: {} });
    await run();
    const before = new Map(irregularities.kept);
    expect(before.get('lost-tags')).toEqual({ optedOut: true });
    world.logins.seen.clear();
    world.logins.complete.clear();
    irregularities.kept.clear();
    await run();
    expect(new Map(irregularities.kept)).toEqual(before);
  });

  test('finds a secret whose newest version lost its tags, tells it once, and lists no version of others', async () => {
    const { world, run, put, told, listed } = sweeping();
    for (const name of ['plain-a', 'plain-b'])
      world.vault.put(name, { value: new SecretText('x'), tags: { team: 'x' } });
    put('reports', value('reports'), { strategy: 'single-user' });
    await run();
    await run();
    expect(listed).toEqual([]);
    world.vault.now = new Date(world.vault.now.getTime() + 60_000);
    world.vault.put('reports', { value: new SecretText('{}'), tags: { team: 'x' } });
    await run();
    expect(listed).toEqual(['reports']);
    expect(told().filter((one) => one.includes('opted-out'))).toHaveLength(1);
    await run();
    expect(told().filter((one) => one.includes('opted-out'))).toEqual([]);
  });

  test('forgets a secret that is gone', async () => {
    const { world, run, put } = sweeping();
    put('reports', value('reports'), { strategy: 'single-user' });
    await run();
    world.vault.secrets.delete('reports');
    await run();
    expect([...world.logins.seen.values()].map(({ secret }) => secret)).toEqual(['orders-db']);
  });
});

test('an opted-out secret has its overlap ended by the sweep alone, where the queue was lost', async () => {
  const { world, run, messages } = sweeping();
  const managed = world.vault.newest(world.secret);
  const stamp = { rotationId: 'a'.repeat(32), from: 'b'.repeat(32), retireBy: world.vault.now };
  managed.tags = { ...managed.tags, rotation: formatStamp(stamp) };
  world.vault.put(world.secret, { value: managed.value, tags: { team: 'orders' } });
  await run();
  const ends = messages.filter(({ queue }) => queue === retirementsQueue.name);
  expect(ends).toMatchObject([{ body: { secret: 'orders-db', rotationId: 'a'.repeat(32), mode: 'scheduled' } }]);
});
