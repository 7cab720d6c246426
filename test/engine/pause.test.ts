/** A pause of one secret: a tag on its current version, written under the lease. */
import { expect, test } from 'vitest';
import { type Pause, readRequested } from '../../shared/engine/policy/requested.ts';
import { changeRequested } from '../../shared/operations/pause.ts';
import { around, requested, rotationId } from './around.ts';
import { makeWorld, type World } from './world.ts';

const paused: Pause = { by: 'key:ops', at: new Date('2026-01-01T00:00:00Z') };
const signal = () => AbortSignal.timeout(10_000);

function pause(world: World, standing: Pause | undefined = paused) {
  const engine = {
    ...world.deps(),
    // Waiting moves the clock of the leases.
    wait: async (ms: number) => {
      world.leases.nowMs += ms;
    },
  };
  return changeRequested(
    { engine },
    world.vault,
    world.secret,
    ({ paused: _before, ...rest }) => ({ ...rest, ...(standing === undefined ? {} : { paused: standing }) }),
    signal(),
  );
}

function tagsOf(world: World) {
  return world.vault.newest(world.secret).tags;
}

test('a pause is a tag of the current version, and makes none', async () => {
  const world = makeWorld('single-user');
  expect(await pause(world)).toMatchObject({ kind: 'changed', before: {} });
  expect(readRequested(tagsOf(world))).toEqual({ paused });
  expect(tagsOf(world)).toMatchObject({ rotator: 'memory', team: 'orders' });
  expect(world.vault.count(world.secret)).toBe(1);
});

test('an emergency that stands is not lost by a pause, nor by its end', async () => {
  const emergency = `emergency=${rotationId},2026-01-01T00:00:00Z,key:ops`;
  const world = makeWorld('single-user', { requested: emergency });
  await pause(world);
  expect(readRequested(tagsOf(world))).toMatchObject({ paused, emergency: { rotationId } });
  const { kind: _kind, ...end } = { kind: 'end', ...readRequested(tagsOf(world)) };
  expect(end.paused).toEqual(paused);
  await changeRequested(
    { engine: world.deps() },
    world.vault,
    world.secret,
    ({ paused: _before, ...rest }) => rest,
    signal(),
  );
  expect(tagsOf(world)['requested']).toBe(emergency);
});

test('while a worker is at the secret a pause waits for it, and is not lost with the tags that the worker has read', async () => {
  const world = makeWorld('single-user');
  const held = await world.leases.acquire(world.vault.name, world.secret);
  expect(held.kind).toBe('held');
  expect(await pause(world)).toEqual({ kind: 'busy' });
  expect(tagsOf(world)).not.toHaveProperty('requested');
  if (held.kind === 'held') await held.lease.release();
  expect(await pause(world)).toMatchObject({ kind: 'changed' });
});

test('the end of a pause where there is none takes no lease and writes nothing', async () => {
  const world = makeWorld('single-user');
  await world.leases.acquire(world.vault.name, world.secret);
  const { updatedAt } = world.vault.newest(world.secret);
  const ended = await changeRequested(
    { engine: world.deps() },
    world.vault,
    world.secret,
    ({ paused: _before, ...rest }) => rest,
    signal(),
  );
  expect(ended).toMatchObject({ kind: 'changed', before: {} });
  expect(world.vault.newest(world.secret).updatedAt).toBe(updatedAt);
});

test('a secret that did not opt in is left as it is', async () => {
  const world = makeWorld('single-user');
  world.vault.newest(world.secret).tags = { team: 'orders' };
  expect(await pause(world)).toEqual({ kind: 'opted-out' });
  expect(tagsOf(world)).toEqual({ team: 'orders' });
});

test('what is scheduled is left while the pause stands, also without the storage account; a person is served, and it carries over', async () => {
  const it = around();
  await pause(it.world);
  expect(await requested(it)).toMatchObject({ kind: 'skipped', reason: 'paused' });
  expect((await requested(it, 'asked')).kind).toBe('rotated');
  expect(readRequested(tagsOf(it.world))).toEqual({ paused });
});
