/** A secret that failed too often is left alone until its next try or until a person has looked, and people are told once. */
import { expect, test } from 'vitest';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { type PerformDependencies, performRetirement, performRotation } from '../../shared/operations/perform.ts';
import { MemoryAttention } from './kept.ts';
import { dayMs, makeWorld } from './world.ts';

const hourMs = dayMs / 24;
const minuteMs = hourMs / 60;

/** A world whose target refuses the change, for want of a right, after the candidate was stored. */
function stuck(pauseAfter: number, broken: Failure = noRight) {
  const world = makeWorld('single-user');
  let applied = 0;
  world.rotator.apply = async () => {
    applied++;
    return broken;
  };
  const told: string[] = [];
  const attention = new MemoryAttention();
  const deps: PerformDependencies = {
    engine: world.deps(),
    history: {
      record: async () => ({ kind: 'recorded' }),
      of: async () => ({ kind: 'listed', records: [] }),
      rotation: async () => ({ kind: 'listed', records: [] }),
    },
    attention,
    freeze: {
      read: async () => ({ kind: 'freeze', frozen: true }),
      set: async () => ({ kind: 'freeze', frozen: true }),
    },
    queues: {
      enqueue: async (queue, message) => {
        if (queue.name === queueNames.notifications) told.push(JSON.stringify(queue.schema.parse(message)));
        return { kind: 'enqueued' };
      },
    },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    pauseAfter,
    random: () => 0,
    now: () => world.vault.now,
  };
  const perform = (mode: 'asked' | 'resume') =>
    performRotation(deps, {
      vault: world.vault.name,
      secret: world.secret,
      mode,
      requestedBy: 'test',
      ...(mode === 'asked' ? { rotationId: 'a'.repeat(32) } : {}),
    });
  const pass = (ms: number) => {
    world.vault.now = new Date(world.vault.now.getTime() + ms);
  };
  return { perform, deps, told, world, attention, pass, applied: () => applied };
}

const noRight = failure('permission-missing', { secret: 'orders-db', target: 'db', permission: 'X', detail: 'no' });
const lockedOut = failure('admin-refused', { secret: 'orders-db', target: 'db', admin: 'root', detail: 'no' });

test('a stored candidate is tried again at its time and not before, further apart each time, and a person may look at once', async () => {
  const { perform, deps, attention, applied, pass } = stuck(2);
  await perform('resume');
  // Nothing is stored yet: whoever asks begins it.
  await perform('asked');
  for (const hours of [0.25, 0.5, 1]) {
    const result = await perform('resume');
    expect(result).toMatchObject({ kind: 'failed', tryAgainMs: hours * hourMs });
    const before = applied();
    pass(hours * hourMs - minuteMs);
    expect(await perform('resume')).toMatchObject({ kind: 'skipped', reason: 'paused' });
    expect(applied()).toBe(before);
    pass(minuteMs);
  }
  expect(attention.trouble('orders-db').rotation).toMatchObject({ failures: 3, paused: true });
  await perform('resume');
  await deps.attention.cleared('contoso-kv', 'orders-db', 'rotation');
  expect(await perform('resume')).toMatchObject({ kind: 'failed', tryAgainMs: hourMs / 4 });
});

test('after hours of failures the tries are hours apart and go on', async () => {
  const { perform, pass } = stuck(5);
  await perform('asked');
  let last = 0;
  for (let tries = 0; tries < 20; tries++) {
    const { tryAgainMs = 0 } = await perform('resume');
    expect(tryAgainMs).toBeGreaterThanOrEqual(last);
    last = tryAgainMs;
    pass(tryAgainMs);
  }
  expect(last).toBe(6 * hourMs);
});

test('a failure that another try would make worse is not tried again before a person has looked', async () => {
  const { perform, attention, told, applied, pass } = stuck(5, lockedOut);
  await perform('asked');
  expect(await perform('resume')).not.toHaveProperty('tryAgainMs');
  expect(attention.trouble('orders-db').rotation).toMatchObject({ failures: 1, paused: true });
  expect(attention.trouble('orders-db').rotation).not.toHaveProperty('nextTryAt');
  expect(told.at(-1)).toContain('"type":"paused"');
  const before = applied();
  pass(1_000 * hourMs);
  expect(await perform('resume')).toMatchObject({ kind: 'skipped', reason: 'paused' });
  expect(applied()).toBe(before);
});

test('a freeze does not keep a rotation that stopped half-way from being finished', async () => {
  const { perform, applied } = stuck(9);
  await perform('asked');
  const before = applied();
  await perform('resume');
  expect(applied()).toBe(before + 1);
});

test('what a person asked for and could not have counts nothing, and is told once for each time it was asked', async () => {
  const { perform, attention, told } = stuck(2);
  for (let attempt = 0; attempt < 5; attempt++) {
    expect(await perform('asked')).not.toHaveProperty('tryAgainMs');
  }
  expect(attention.trouble('orders-db')).toEqual({ kind: 'trouble' });
  const ids = told.map((message) => JSON.parse(message).id);
  expect([new Set(ids).size, told.some((message) => message.includes('"type":"paused"'))]).toEqual([1, false]);
});

test('people are told of a pause when it begins, not with each failure after it', async () => {
  const { perform, told, pass } = stuck(2);
  await perform('asked');
  for (let attempt = 0; attempt < 5; attempt++) pass((await perform('resume')).tryAgainMs ?? 0);
  expect(told.filter((message) => message.includes('"type":"paused"'))).toHaveLength(1);
});

test('a fleet with more sessions than a message holds: those that fit are named, and the rest counted', async () => {
  const { deps, told } = stuck(2);
  const world = makeWorld('alternating-users');
  const about = { vault: world.vault.name, secret: world.secret, requestedBy: 'test' };
  const engine = world.deps();
  const { rotationId } = await performRotation(
    { ...deps, engine },
    { ...about, mode: 'asked', rotationId: 'b'.repeat(32) },
  );
  const by = Array.from({ length: 5_000 }, (_, at) => `shop-${at} at 10.0.0.${at % 250}`);
  world.rotator.inUse = async () => ({ kind: 'in-use', sessions: by.length, by });
  const result = await performRetirement({ ...deps, engine }, { ...about, rotationId, mode: 'scheduled' });
  expect(result.kind).toBe('waiting');
  expect(told.at(-1)).toContain('"4950 more"');
  expect(told.at(-1)?.length).toBeLessThan(48 * 1024);
});
