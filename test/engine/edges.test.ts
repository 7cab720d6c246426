/** The edges of what the engine takes: ids that are just too long, chains without end, versions that are gone. */
import { describe, expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { readCurrent } from '../../shared/engine/policy/current.ts';
import { longestTag, readStamp, stampTag, withStamp } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { prepare } from '../../shared/engine/running/target.ts';
import { isFailure } from '../../shared/errors.ts';
import { dayMs, makeWorld, type World } from './world.ts';

const ask = (world: World) => ({
  ...{ vault: world.vault.name, secret: world.secret, mode: 'scheduled' as const, requestedBy: 'test' },
});

describe('the id of a key', () => {
  test('may make a stamp as long as a tag holds, and not a character longer', async () => {
    const published: number[] = [];
    const refused: number[] = [];
    for (let length = 100; length < longestTag; length++) {
      const world = makeWorld('issue-revoke');
      const { rotator, vault, secret } = world;
      const apply = rotator.apply.bind(rotator);
      rotator.apply = async (step, candidate, live) => {
        const applied = await apply(step, candidate, live);
        if (applied.kind === 'failed') return applied;
        return { ...applied, credential: { ...applied.credential, keyId: 'k'.repeat(length) } };
      };
      const result = await rotate(world.deps(), ask(world));
      if (result.kind === 'rotated') published.push(vault.newest(secret).tags[stampTag]?.length ?? 0);
      else {
        expect(result).toMatchObject({ failure: { code: 'tags-full' } });
        refused.push(length);
      }
    }
    expect(Math.max(...published)).toBe(longestTag);
    expect(refused.length).toBeGreaterThan(0);
  });
});

test('a second worker is told which request it came for, also when it meets the first at work', async () => {
  const world = makeWorld('single-user');
  await world.leases.acquire(world.vault.name, world.secret);
  const rotationId = '7'.repeat(32);
  expect(await rotate(world.deps(), { ...ask(world), rotationId })).toMatchObject({
    ...{ kind: 'skipped', reason: 'busy', rotationId },
  });
});

describe('a retirement', () => {
  const ending = (world: World) => {
    const { rotationId = '' } = readStamp(world.vault.newest(world.secret).tags) ?? {};
    return retire(world.deps(), { ...ask(world), rotationId });
  };

  test('of a version that is gone waits for nobody: there is nothing left to end', async () => {
    const world = makeWorld('alternating-users', { consumers: 'shop' });
    await rotate(world.deps(), ask(world));
    const { vault, secret, firstVersion } = world;
    const kept = vault.secrets.get(secret)?.filter(({ version }) => version !== firstVersion) ?? [];
    vault.secrets.set(secret, kept);
    expect(await ending(world)).toMatchObject({ kind: 'retired' });
  });

  test('led by forged stamps from a version to itself comes to an end', async () => {
    const world = makeWorld('alternating-users');
    await rotate(world.deps(), ask(world));
    const { vault, secret, firstVersion } = world;
    const old = vault.secrets.get(secret)?.find(({ version }) => version === firstVersion);
    if (old === undefined) throw new Error('no first version');
    const open = { rotationId: 'f'.repeat(32), from: firstVersion, retireBy: vault.now };
    old.tags = withStamp(old.tags, open);
    vault.now = new Date(vault.now.getTime() + 2 * dayMs);
    expect(await ending(world)).toMatchObject({ kind: 'retired' });
    expect(world.target.accepts(world.current())).toBe(true);
  });
});

test('a key of a provider without a host of its own goes to the host of its admin, whatever host its value names', async () => {
  const world = makeWorld('issue-revoke');
  const { vault, secret } = world;
  const { tags } = vault.newest(secret);
  const value = new SecretText(JSON.stringify({ current: 'key', password: 'key', host: 'elsewhere.contoso.test' }));
  vault.put(secret, { value, contentType: 'application/json', tags });
  const { signal } = new AbortController();
  const current = await readCurrent(world.deps(), vault, secret, signal);
  if (current.kind !== 'current') throw new Error(current.kind);
  const about = { rotationId: '1'.repeat(32), emergency: false };
  const target = await prepare(world.deps(), vault, current, about, signal);
  if (isFailure(target)) throw new Error(target.message);
  expect(target.stepFor({ signal, remainingMs: () => 1_000 }).endpoint.host).toBe('db.contoso.test');
});
