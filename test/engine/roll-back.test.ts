/** Going back to an earlier version, and what is never gone back to. */
import { describe, expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { strategies, strategyTraits } from '../../shared/contract/strategy.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { formatStamp, readStamp } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { plan } from '../../shared/operations/inspect.ts';
import { credentialIn, dayMs, makeWorld, type World } from './world.ts';

const id = (letter: string): string => letter.repeat(32);

function ask(world: World, mode: RotationRequest['mode'], rotationId: string, more: Partial<RotationRequest> = {}) {
  const { vault, secret } = world;
  vault.now = new Date(vault.now.getTime() + 60_000);
  return rotate(world.deps(), { vault: vault.name, secret, mode, rotationId, requestedBy: 'entra:ann-id', ...more });
}

async function endOverlap(world: World) {
  const { vault, secret } = world;
  vault.now = new Date(vault.now.getTime() + dayMs + 1_000);
  const { rotationId = '' } = readStamp(vault.newest(secret).tags) ?? {};
  return retire(world.deps(), { vault: vault.name, secret, rotationId, mode: 'scheduled', requestedBy: 'overlap' });
}

function accepts(world: World, password: string): boolean {
  return [...world.target.logins.values()].some((passwords) => passwords.has(password));
}

const passwordOf = (world: World): string => world.current().password.reveal();

describe.each(strategies.filter((strategy) => strategyTraits[strategy].hasTarget))('%s', (strategy) => {
  test('rotate, roll back, let the overlap end: the current version logs in and the other is refused', async () => {
    const world = makeWorld(strategy);
    expect(await ask(world, 'asked', id('1'))).toMatchObject({ kind: 'rotated' });
    const left = passwordOf(world);
    expect(await ask(world, 'roll-back', id('2'))).toMatchObject({ kind: 'rotated' });
    expect(passwordOf(world)).toBe(world.firstPassword);
    if (strategyTraits[strategy].oldLives) expect(await endOverlap(world)).toMatchObject({ kind: 'retired' });
    expect(world.target.accepts(world.current()), 'the current version').toBe(true);
    expect(accepts(world, left), 'the one that was left').toBe(false);
  });

  test('goes through apply, also where the earlier credential logs in still', async () => {
    const world = makeWorld(strategy);
    await ask(world, 'asked', id('1'));
    const applied: string[] = [];
    const apply = world.rotator.apply.bind(world.rotator);
    world.rotator.apply = (step, candidate, live) => {
      applied.push(candidate.password.reveal());
      return apply(step, candidate, live);
    };
    await ask(world, 'roll-back', id('2'));
    expect(applied).toEqual([world.firstPassword]);
  });

  test('a credential that was revoked is not brought back; the refusal says who revoked it and when', async () => {
    const world = makeWorld(strategy);
    await ask(world, 'emergency', id('1'));
    const revokedAt = world.vault.now;
    const refused = await ask(world, 'roll-back', id('2'));
    expect(refused).toMatchObject({ kind: 'failed', failure: { code: 'credential-revoked', class: 'blocked' } });
    const message = refused.kind === 'failed' ? refused.failure.message : '';
    expect(message).toContain('entra:ann-id');
    expect(message).toContain(revokedAt.toISOString());
    expect(accepts(world, world.firstPassword)).toBe(false);
    expect(world.vault.count(world.secret)).toBe(2);
  });

  test('nor is another version that holds the same credential', async () => {
    const world = makeWorld(strategy);
    const { vault, secret, firstVersion } = world;
    const { value, tags, contentType } = vault.newest(secret);
    vault.now = new Date(vault.now.getTime() + 60_000);
    vault.put(secret, { value, tags, ...(contentType === undefined ? {} : { contentType }) });
    await ask(world, 'emergency', id('1'));
    expect(await ask(world, 'roll-back', id('2'), { to: firstVersion })).toMatchObject({
      failure: { code: 'credential-revoked' },
    });
    expect(accepts(world, world.firstPassword)).toBe(false);
  });

  if (!strategyTraits[strategy].chosen) {
    test('a key that is gone cannot be gone back to, and the target is not asked to take it', async () => {
      const world = makeWorld(strategy);
      await ask(world, 'asked', id('1'));
      await endOverlap(world);
      const current = passwordOf(world);
      world.target.touched = [];
      expect(await ask(world, 'roll-back', id('2'))).toMatchObject({ failure: { code: 'roll-back-impossible' } });
      expect(world.target.touched).toEqual([]);
      expect(passwordOf(world)).toBe(current);
      expect(world.target.accepts(world.current())).toBe(true);
    });
  }

  test('nor is one that somebody wrote back by hand after the credential was revoked', async () => {
    const world = makeWorld(strategy);
    const { vault, secret } = world;
    const { value, contentType } = vault.newest(secret);
    await ask(world, 'emergency', id('1'));
    const { tags } = vault.newest(secret);
    const { rotation: _stamp, ...unstamped } = tags;
    vault.now = new Date(vault.now.getTime() + 60_000);
    const put = (written: SecretText) =>
      vault.put(secret, { value: written, tags: unstamped, ...(contentType === undefined ? {} : { contentType }) });
    const current = vault.newest(secret).value;
    const writtenBack = put(value);
    put(current);
    expect(await ask(world, 'roll-back', id('2'), { to: writtenBack })).toMatchObject({
      failure: { code: 'credential-revoked' },
    });
    expect(accepts(world, world.firstPassword)).toBe(false);
  });

  test('with force it is, where the target takes a credential that we choose', async () => {
    const world = makeWorld(strategy);
    await ask(world, 'emergency', id('1'));
    const result = await ask(world, 'roll-back', id('2'), { force: true });
    const { chosen } = strategyTraits[strategy];
    expect(result.kind).toBe(chosen ? 'rotated' : 'failed');
    expect(accepts(world, world.firstPassword)).toBe(chosen);
  });
});

describe('the plan of a roll-back', () => {
  const look = async (world: World) => {
    const { vault, secret } = world;
    const planned = await plan(world.deps(), vault, { secret, mode: 'roll-back' }, AbortSignal.timeout(5_000));
    if (planned.kind !== 'plan') throw new Error(planned.kind);
    return planned.checks.find(({ name }) => name === 'way back');
  };

  test('says which version and which login it goes back to', async () => {
    const world = makeWorld('alternating-users');
    await ask(world, 'asked', id('1'));
    expect(await look(world)).toMatchObject({
      state: 'passed',
      detail: `to version ${world.firstVersion}, which is of app`,
    });
  });

  test('says that the credential was revoked, by whom and when, and changes nothing', async () => {
    const world = makeWorld('alternating-users');
    await ask(world, 'emergency', id('1'));
    const before = JSON.stringify([...world.vault.secrets.values()]);
    const check = await look(world);
    expect(check?.state).toBe('failed');
    expect(check?.detail).toContain('revoked by entra:ann-id at ');
    expect(JSON.stringify([...world.vault.secrets.values()])).toBe(before);
  });
});

test('a roll-back of a self-issued secret keeps the newer key as previous: what was signed with it is still accepted', async () => {
  const world = makeWorld('self-issued');
  await ask(world, 'asked', id('1'));
  const newer = passwordOf(world);
  await ask(world, 'roll-back', id('2'));
  expect(passwordOf(world)).toBe(world.firstPassword);
  expect(world.vault.newest(world.secret).value.reveal()).toContain(`"previous":"${newer}"`);
});

describe('an older value that somebody wrote back', () => {
  test.each(['alternating-users', 'dual-password', 'dual-key'] as const)(
    '%s: goes on working when the overlap ends',
    async (strategy) => {
      const world = makeWorld(strategy);
      const { vault, secret } = world;
      const first = vault.newest(secret);
      await ask(world, 'asked', id('1'));
      vault.now = new Date(vault.now.getTime() + 60_000);
      vault.put(secret, { value: first.value, tags: vault.newest(secret).tags });
      await endOverlap(world);
      expect(world.target.accepts(world.current())).toBe(true);
    },
  );
});

describe('whoever may edit one secret', () => {
  const junk = (login: string) =>
    new SecretText(JSON.stringify({ username: login, host: 'db.contoso.test', password: 'junk' }));

  function forged(world: World, login: string, from: string) {
    const { vault, secret } = world;
    const { tags } = vault.newest(secret);
    vault.now = new Date(vault.now.getTime() + 60_000);
    const stamp = formatStamp({ rotationId: id('f'), from, retireBy: new Date(vault.now.getTime() - 1_000) });
    return vault.put(secret, { value: junk(login), tags: { ...tags, rotation: stamp } });
  }

  test.each(['single-user', 'alternating-users', 'dual-password'] as const)(
    '%s: is not handed another login by a forged stamp that leads to their own older version',
    async (strategy) => {
      const world = makeWorld(strategy);
      world.target.set('dba', ['secret of the dba']);
      world.target.touched = [];
      forged(world, 'dba', world.firstVersion);
      const count = world.vault.count(world.secret);
      for (const mode of ['scheduled', 'asked', 'resume'] as const) await ask(world, mode, id('1'));
      expect(world.target.touched).toEqual([]);
      expect([...(world.target.logins.get('dba') ?? [])]).toEqual(['secret of the dba']);
      expect(world.vault.count(world.secret)).toBe(count);
    },
  );

  test.each(['single-user', 'alternating-users', 'dual-password'] as const)(
    '%s: does not roll back to a version that names another login',
    async (strategy) => {
      const world = makeWorld(strategy);
      const { vault, secret, target, firstVersion } = world;
      target.set('dba', ['secret of the dba']);
      const mine = vault.newest(secret);
      const theirs = forged(world, 'dba', firstVersion);
      vault.now = new Date(vault.now.getTime() + 60_000);
      vault.put(secret, { value: mine.value, tags: mine.tags });
      expect(await ask(world, 'roll-back', id('1'), { to: theirs, force: true })).toMatchObject({
        failure: { code: 'roll-back-impossible' },
      });
      expect([...(target.logins.get('dba') ?? [])]).toEqual(['secret of the dba']);
    },
  );

  test.each(['alternating-users', 'dual-password'] as const)(
    '%s: does not have another login ended by a forged stamp that leads to a version naming it',
    async (strategy) => {
      const world = makeWorld(strategy);
      const { vault, secret, target } = world;
      target.set('dba', ['secret of the dba']);
      const mine = vault.newest(secret);
      const theirs = forged(world, 'dba', world.firstVersion);
      vault.now = new Date(vault.now.getTime() + 60_000);
      const stamp = formatStamp({ rotationId: id('f'), from: theirs, retireBy: vault.now });
      vault.put(secret, { value: mine.value, tags: { ...mine.tags, rotation: stamp } });
      target.touched = [];
      const result = await endOverlap(world);
      expect(result).toMatchObject({ kind: 'failed', failure: { code: 'retire-refused' } });
      expect([...(target.logins.get('dba') ?? [])]).toEqual(['secret of the dba']);
      expect(credentialIn(vault.newest(secret).value).username).toBe('app');
    },
  );
});
