/** A secret in quarantine is left alone by everything automatic, and people are told once. */

import { expect, test } from 'vitest';
import { queueNames } from '../../shared/contract/queue-names.ts';
import type { Trouble } from '../../shared/contract/state.ts';
import { failure } from '../../shared/errors.ts';
import { type PerformDependencies, performRetirement, performRotation } from '../../shared/operations/perform.ts';
import { makeWorld } from './world.ts';

/** A world whose target refuses the change, for want of a right, after the candidate was stored. */
function stuck(quarantineAfter: number) {
  const world = makeWorld('single-user');
  let applied = 0;
  world.rotator.apply = async (step) => {
    applied++;
    return failure('permission-missing', { secret: step.secret, target: 'db', permission: 'CREATEROLE', detail: 'no' });
  };
  const told: string[] = [];
  let trouble: Trouble = { kind: 'trouble', failures: 0, quarantined: false };
  const deps: PerformDependencies = {
    engine: world.deps(),
    history: {
      record: async () => ({ kind: 'recorded' }),
      of: async () => ({ kind: 'listed', records: [] }),
      rotation: async () => ({ kind: 'listed', records: [] }),
    },
    attention: {
      of: async () => trouble,
      all: async function* nobody() {
        yield* [];
      },
      failed: async (_vault, _secret, last, most) => {
        const failures = trouble.failures + 1;
        trouble = { kind: 'trouble', failures, quarantined: failures >= most, last };
        return trouble;
      },
      cleared: async () => {
        trouble = { kind: 'trouble', failures: 0, quarantined: false };
        return { kind: 'cleared' };
      },
    },
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
    quarantineAfter,
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
  return { perform, deps, told, world, applied: () => applied };
}

test('a stored candidate of a secret in quarantine is left alone, sweep after sweep, until a person ends the quarantine', async () => {
  const { perform, deps, told, applied } = stuck(2);
  await perform('asked');
  await perform('resume');
  const [before, news] = [applied(), told.length];
  for (let sweep = 0; sweep < 5; sweep++) {
    expect(await perform('resume')).toMatchObject({ kind: 'skipped', reason: 'paused' });
  }
  expect(applied()).toBe(before);
  expect(told).toHaveLength(news);
  await deps.attention.cleared('contoso-kv', 'orders-db');
  expect(await perform('resume')).toMatchObject({ kind: 'failed', failure: { code: 'permission-missing' } });
});

test('a freeze does not keep a rotation that stopped half-way from being finished', async () => {
  const { perform, applied } = stuck(9);
  await perform('asked');
  const before = applied();
  await perform('resume');
  expect(applied()).toBe(before + 1);
});

test('people are told of a quarantine when it begins, not with each failure after it', async () => {
  const { perform, told } = stuck(2);
  for (let attempt = 0; attempt < 5; attempt++) await perform('asked');
  expect(told.filter((message) => message.includes('"type":"quarantined"'))).toHaveLength(1);
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
