/** A secret in quarantine is left alone by everything automatic, and people are told once. */
import { expect, test } from 'vitest';
import type { Trouble } from '../../shared/contract/state.ts';
import { type PerformDependencies, performRotation } from '../../shared/engine/perform.ts';
import { failure } from '../../shared/errors.ts';
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
        if (queue.name === 'notifications') told.push(JSON.stringify(queue.schema.parse(message)));
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
  return { perform, deps, told, applied: () => applied };
}

test('a stored candidate of a secret in quarantine is left alone, sweep after sweep, until a person ends the quarantine', async () => {
  const { perform, deps, told, applied } = stuck(2);
  await perform('asked');
  await perform('resume');
  const [before, news] = [applied(), told.length];
  for (let sweep = 0; sweep < 5; sweep++) {
    expect(await perform('resume')).toMatchObject({ kind: 'skipped', reason: 'quarantined' });
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
