/** Tags that are set from outside the vault: checked before, written under the lease, and nothing else of the secret changes. */
import { expect, test } from 'vitest';
import { lends, type TagChange } from '../../shared/engine/policy/change-tags.ts';
import { setTags } from '../../shared/operations/tags.ts';
import { makeWorld, type World } from './world.ts';

const signal = () => AbortSignal.timeout(10_000);

function change(world: World, set: Record<string, string>, remove: readonly string[] = [], dryRun = false) {
  const engine = {
    ...world.deps(),
    // Waiting moves the clock of the leases.
    wait: async (ms: number) => {
      world.leases.nowMs += ms;
    },
  };
  const asked = { secret: world.secret, change: { set, remove }, dryRun };
  return setTags(engine, world.vault, asked, signal());
}

const tagsOf = (world: World) => world.vault.newest(world.secret).tags;

test('a change sets and removes what it names, on the version that stands, and makes none', async () => {
  const world = makeWorld('single-user', { old: 'x' });
  expect(await change(world, { overlap: 'P1D' }, ['old', 'never-there'])).toMatchObject({ kind: 'tags' });
  expect(tagsOf(world)).toEqual({
    ...{ rotator: 'memory', strategy: 'single-user', admin: 'orders-admin', team: 'orders', overlap: 'P1D' },
  });
  expect(world.vault.count(world.secret)).toBe(1);
});

test('a change that makes no difference, and a dry run, take no lease and write nothing', async () => {
  const world = makeWorld('single-user');
  await world.leases.acquire(world.vault.name, world.secret);
  const { updatedAt } = world.vault.newest(world.secret);
  expect(await change(world, { team: 'orders' })).toMatchObject({ kind: 'tags' });
  expect(await change(world, { overlap: 'P1D' }, [], true)).toMatchObject({ tags: { overlap: 'P1D' } });
  expect(world.vault.newest(world.secret).updatedAt).toBe(updatedAt);
  expect(tagsOf(world)).not.toHaveProperty('overlap');
});

test('while a worker is at the secret a change waits for it, and is not lost with the tags that the worker has read', async () => {
  const world = makeWorld('single-user');
  const held = await world.leases.acquire(world.vault.name, world.secret);
  expect(await change(world, { overlap: 'P1D' })).toEqual({ kind: 'busy' });
  expect(tagsOf(world)).not.toHaveProperty('overlap');
  if (held.kind === 'held') await held.lease.release();
  expect(await change(world, { overlap: 'P1D' })).toMatchObject({ kind: 'tags' });
});

test('what a worker wrote while a change waited for it stays', async () => {
  const world = makeWorld('single-user');
  const held = await world.leases.acquire(world.vault.name, world.secret);
  const rotate = async () => {
    if (held.kind !== 'held') return;
    const { value, tags } = world.vault.newest(world.secret);
    world.vault.put(world.secret, { value, tags: { ...tags, rotation: 'id=1' } });
    await held.lease.release();
  };
  const asked = { secret: world.secret, change: { set: { overlap: 'P1D' }, remove: [] }, dryRun: false };
  await setTags({ ...world.deps(), wait: rotate }, world.vault, asked, signal());
  expect(tagsOf(world)).toMatchObject({ overlap: 'P1D', rotation: 'id=1' });
});

test.each([
  ['a stamp', { rotation: 'id=1' }, []],
  ['the end of what was asked', {}, ['requested']],
  ['what cannot be used', { overlap: 'soon' }, []],
  ['a rotator that there is not', { rotator: 'postgress' }, []],
  ['a value that is too long', { team: 'x'.repeat(257) }, []],
  ['a tag that is both set and removed', { team: 'x' }, ['team']],
])('%s is refused, and nothing is written', async (_, set, remove) => {
  const world = makeWorld('single-user');
  const before = tagsOf(world);
  expect(await change(world, set, remove)).toMatchObject({ kind: 'failed', code: 'tag-invalid' });
  expect(tagsOf(world)).toBe(before);
});

test('more tags than the stamp leaves room for are refused', async () => {
  const world = makeWorld('single-user');
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`own-${at}`, 'x']));
  expect(await change(world, many)).toMatchObject({ kind: 'failed', code: 'tags-full' });
});

test('a stored candidate is nobody else’s to tag', async () => {
  const world = makeWorld('single-user');
  const { value } = world.vault.newest(world.secret);
  world.vault.put('keyturn-pending-orders-db', { value, tags: {} });
  const asked = {
    secret: 'keyturn-pending-orders-db',
    change: { set: { rotator: 'memory' }, remove: [] },
    dryRun: false,
  };
  expect(await setTags(world.deps(), world.vault, asked, signal())).toMatchObject({ kind: 'failed' });
});

test.each<[string, Partial<TagChange>, boolean]>([
  ['serves', { set: { serves: 'x' } }, true],
  ['the end of also', { remove: ['also'] }, true],
  ['also inside policy', { set: { policy: 'valid-for=P90D; also = x' } }, true],
  ['copy-of', { set: { 'copy-of': 'x' } }, true],
  ['a policy without any of them', { set: { policy: 'valid-for=P90D; overlap=P1D' } }, false],
  ['a tag that only sounds like one', { set: { 'served-by': 'x', team: 'also=x' } }, false],
])('%s lends something to another secret: %s', (_, { set = {}, remove = [] }, expected) => {
  expect(lends({ set, remove })).toBe(expected);
});
