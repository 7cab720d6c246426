/** In an emergency the old credential is dead and its sessions are gone, whatever the strategy and wherever a worker died. */
import { describe, expect, test } from 'vitest';
import { type Strategy, strategies, strategyTraits } from '../../shared/contract/strategy.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { failure } from '../../shared/errors.ts';
import { Crash, dayMs, makeWorld, type World } from './world.ts';

const rotationId = 'e'.repeat(32);

function emergencyOf(world: World): RotationRequest {
  return { vault: world.vault.name, secret: world.secret, mode: 'emergency', rotationId, requestedBy: 'ann' };
}

/** Remembers whose sessions the rotator was told to end. */
function watchEnded(world: World): string[] {
  const ended: string[] = [];
  const retireReally = world.rotator.retire.bind(world.rotator);
  world.rotator.retire = (step, previous) => {
    if (step.emergency) ended.push(previous.password.reveal());
    return retireReally(step, previous);
  };
  return ended;
}

const withTarget: readonly Strategy[] = strategies.filter((strategy) => strategyTraits[strategy].hasTarget);

describe.each(withTarget)('%s', (strategy) => {
  test('the sessions of the old credential are ended, once, also where its password died at apply', async () => {
    const world = makeWorld(strategy);
    const ended = watchEnded(world);
    expect(await rotate(world.deps(), emergencyOf(world))).toMatchObject({ kind: 'rotated' });
    expect(ended).toEqual([world.firstPassword]);
    expect(readStamp(world.vault.newest(world.secret).tags)?.retired).toBe(true);
    expect(await rotate(world.deps(), emergencyOf(world))).toMatchObject({ kind: 'rotated', found: 'seen' });
    expect(ended, 'a duplicate ends nobody').toHaveLength(1);
  });

  test('a crash after the publish: the next delivery ends the sessions', async () => {
    const world = makeWorld(strategy);
    const ended = watchEnded(world);
    const dying = world.deps();
    const followUps = { ...dying.followUps, published: () => Promise.reject(new Crash()) };
    await expect(rotate({ ...dying, followUps }, emergencyOf(world))).rejects.toThrow(Crash);
    expect(ended).toEqual([]);
    world.leases.expire();
    await rotate(world.deps(), emergencyOf(world));
    expect(ended).toEqual([world.firstPassword]);
    expect(readStamp(world.vault.newest(world.secret).tags)?.retired).toBe(true);
    expect(world.vault.count(world.secret)).toBe(2);
  });
});

test.each(['the deadline', 'an emergency'])(
  'acknowledgements that cannot be read do not keep an old credential alive beyond %s',
  async (which) => {
    const world = makeWorld('alternating-users', { consumers: 'shop' });
    const { vault, secret } = world;
    const made = await rotate(world.deps(), { vault: vault.name, secret, mode: 'scheduled', requestedBy: 'test' });
    const lost = failure('storage-unreachable', { secret, detail: 'table service' });
    const deps = { ...world.deps(), acknowledged: async () => lost };
    const request = { vault: vault.name, secret, rotationId: made.rotationId, requestedBy: 'test' };
    expect(await retire(deps, { ...request, mode: 'scheduled' })).toMatchObject({ kind: 'failed' });
    if (which === 'the deadline') vault.now = new Date(vault.now.getTime() + dayMs);
    const mode = which === 'the deadline' ? ('scheduled' as const) : ('emergency' as const);
    expect(await retire(deps, { ...request, mode })).toMatchObject({ kind: 'retired', cut: { consumers: ['shop'] } });
  },
);
