/** A secret leaves Keyturn: what is begun is finished first, its tags are taken away, and nothing takes it for one that lost them. */
import { expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { originOf } from '../../shared/engine/policy/origin.ts';
import { revokedOf } from '../../shared/engine/policy/stamp.ts';
import { failure } from '../../shared/errors.ts';
import { planRelease, type ReleaseDependencies, release } from '../../shared/operations/release.ts';
import { type Around, around, pass, requested } from './around.ts';
import { MemoryIrregularities } from './kept.ts';
import { dayMs } from './world.ts';

const asker = { requestedBy: 'Anna', requestedById: 'key:anna', reason: 'the shop is switched off' };
const signal = new AbortController().signal;
const ofOwner = { team: 'orders', ValidityPeriodDays: '90' };

function leaving(tags: Record<string, string> = {}) {
  const it = around({ ...ofOwner, ...tags });
  const deps: ReleaseDependencies = { ...it.deps, irregularities: new MemoryIrregularities() };
  return { it, deps, run: () => release(deps, it.world.vault, it.world.secret, asker, signal) };
}

function versionsOf({ world }: Around) {
  return (world.vault.secrets.get(world.secret) ?? []).map(({ tags }) => tags);
}

test('no overlap runs: all versions lose the tags of Keyturn, and those of the owner stay', async () => {
  const { it, run } = leaving({ notify: 'ops', overlap: 'P1D' });
  expect(await run()).toMatchObject({ kind: 'released', retired: [] });
  expect(versionsOf(it)).toEqual([ofOwner]);
});

test('an overlap runs: the old credential is ended first, and the new one goes on working', async () => {
  const { it, run } = leaving();
  await requested(it);
  const outcome = await run();
  expect(outcome).toMatchObject({ kind: 'released' });
  expect(outcome.kind === 'released' && outcome.retired).toHaveLength(1);
  expect(versionsOf(it)).toEqual([ofOwner, ofOwner]);
  const { vault, secret } = it.world;
  expect(vault.secrets.get(secret)?.map(({ enabled }) => enabled)).toEqual([false, true]);
});

test('a consumer is still on the old credential: nothing is changed, and who is said', async () => {
  const { it, run } = leaving({ consumers: 'shop' });
  await requested(it);
  const before = versionsOf(it);
  expect(await run()).toMatchObject({ kind: 'waiting', result: { holding: { consumers: ['shop'] } } });
  expect(versionsOf(it)).toEqual(before);
  pass(it, 2 * dayMs);
  expect(await run()).toMatchObject({ kind: 'released' });
});

test('the secret counts as unmanaged afterwards, and not as one that lost its tags', async () => {
  const { it, run } = leaving();
  await requested(it);
  await run();
  const { vault, secret } = it.world;
  const listed = await vault.versions(secret);
  expect(originOf(listed.versions, vault.newest(secret).version)).toEqual({ kind: 'unmanaged' });
});

test('a release that stopped in the middle leaves the newest version managed, and is gone on with', async () => {
  const { it, run } = leaving();
  await requested(it);
  const { vault, secret } = it.world;
  const change = vault.change.bind(vault);
  const refused = failure('vault-unreachable', { secret, vault: vault.name, detail: 'cut' });
  let taken = 0;
  vault.change = async (name, version, changed) => {
    const takes = changed.tags !== undefined && changed.tags['rotator'] === undefined;
    return takes && ++taken === 2 ? refused : change(name, version, changed);
  };
  expect(await run()).toMatchObject({ code: 'vault-unreachable' });
  expect(vault.newest(secret).tags['rotator']).toBeDefined();
  vault.change = change;
  expect(await run()).toMatchObject({ kind: 'released' });
  expect(versionsOf(it)).toEqual([ofOwner, ofOwner]);
});

test('a version whose credential was revoked keeps that mark, and a second release finds nothing', async () => {
  const { it, run } = leaving();
  await requested(it, 'emergency');
  await run();
  const [first = {}] = versionsOf(it);
  expect(revokedOf(first)).toBeDefined();
  expect(Object.keys(first).sort()).toEqual([...Object.keys(ofOwner), 'rotation'].sort());
  expect(await run()).toEqual({ kind: 'nothing' });
});

test.each([
  ['it is a copy', { 'copy-of': 'shop' }, /together with shop/],
  ['it has copies', { also: 'shop-copy' }, /copies/],
  ['its policy names copies', { policy: 'overlap=P1D; also=shop-copy' }, /copies/],
  ['an emergency is not finished', { requested: `emergency=${'a'.repeat(32)},2026-01-01T00:00:00Z,anna` }, /emergency/],
])('%s: nothing is changed, and what comes first is said', async (_, tags, detail) => {
  const { it, run } = leaving(tags);
  const before = versionsOf(it);
  expect(await run()).toMatchObject({ kind: 'held', detail: expect.stringMatching(detail) });
  expect(versionsOf(it)).toEqual(before);
});

test('a candidate is stored that the target may have taken: the rotation is finished first', async () => {
  const { it, run } = leaving();
  const { vault, secret, firstVersion } = it.world;
  const rotation = `id=${'b'.repeat(32)};from=${firstVersion}`;
  vault.put(`keyturn-pending-${secret}`, { value: new SecretText('x'), tags: { rotation, 'pending-of': secret } });
  expect(await run()).toMatchObject({ kind: 'held', detail: expect.stringContaining('keyturn rotate') });
});

test('the plan says what would be taken away and changes nothing', async () => {
  const { it, deps } = leaving({ window: 'Sat 00:00-24:00 UTC' });
  const before = versionsOf(it);
  const plan = await planRelease(deps, it.world.vault, it.world.secret, signal);
  expect(plan).toMatchObject({ kind: 'plan', overlap: undefined, left: ofOwner });
  expect(plan.kind === 'plan' && plan.versions[0]?.taken).toEqual(expect.arrayContaining(['rotator', 'window']));
  expect(versionsOf(it)).toEqual(before);
});
