/** What stands in the vault beside a secret's current version leads to no login of another secret, nor to one that nobody vouches for. */
import { describe, expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import { stampTag } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { makeWorld, type World } from './world.ts';

const id = (letter: string): string => letter.repeat(32);
const value = (username: string, password: string) =>
  new SecretText(JSON.stringify({ username, host: 'db.contoso.test', password }));

/** Whoever may edit the secret publishes a version of it. */
function publish(world: World, login: { username: string; password: string }, tags: Record<string, string> = {}) {
  const { [stampTag]: _stamp, ...before } = world.vault.newest(world.secret).tags;
  world.vault.now = new Date(world.vault.now.getTime() + 60_000);
  return world.vault.put(world.secret, {
    value: value(login.username, login.password),
    contentType: 'application/json',
    tags: { ...before, ...tags },
    expiresAt: new Date(world.vault.now.getTime() + 20 * 86_400_000),
  });
}

describe('the second login of the pair is what another secret publishes', () => {
  function shared() {
    const world = makeWorld('alternating-users');
    world.target.set('app_alt', ['theirs']);
    world.target.sessions = [{ login: 'app_alt', password: 'theirs' }];
    const theirs = publish(world, { username: 'app_alt', password: 'theirs' });
    publish(world, { username: 'app', password: world.firstPassword });
    world.logins.complete.clear();
    world.vault.put('reports', {
      value: value('app_alt', 'theirs'),
      tags: { rotator: 'memory', strategy: 'single-user', admin: 'orders-admin' },
    });
    world.target.touched = [];
    return { world, theirs };
  }

  function expectUntouched({ target }: World) {
    expect(target.touched).toEqual([]);
    expect([...(target.logins.get('app_alt') ?? [])]).toEqual(['theirs']);
    expect(target.sessions).toHaveLength(1);
  }

  test('an emergency that names an earlier version with it ends neither the login nor its sessions', async () => {
    const { world, theirs } = shared();
    const request = { vault: world.vault.name, secret: world.secret, requestedBy: 'Anna', rotationId: id('1') };
    const result = await rotate(world.deps(), { ...request, mode: 'emergency', version: theirs });
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'login-shared' } });
    expectUntouched(world);
  });

  test('nor does one that stands in the tags, whoever wrote it there', async () => {
    const { world, theirs } = shared();
    const requested = `earlier=${id('e')},2026-01-01T00:00:00Z,key:ops,${theirs}`;
    publish(world, { username: 'app', password: world.firstPassword }, { requested });
    for (const mode of ['resume', 'scheduled', 'asked'] as const) {
      const request = { vault: world.vault.name, secret: world.secret, requestedBy: 'sweep', rotationId: id('2') };
      await rotate(world.deps(), { ...request, mode });
      expectUntouched(world);
    }
  });
});

describe('a stored candidate that names another login', () => {
  function stored(login: { username: string; password: string }) {
    const world = makeWorld('single-user');
    world.target.set('dba', ['the-dba-password']);
    world.target.sessions = [{ login: 'dba', password: 'the-dba-password' }];
    world.target.touched = [];
    const put = () =>
      world.vault.put(pendingNameOf(world.secret), {
        value: value(login.username, login.password),
        contentType: 'application/json',
        tags: { [stampTag]: `id=${id('c')};from=${world.vault.newest(world.secret).version}` },
      });
    return { world, put };
  }

  test.each(['asked', 'scheduled', 'resume', 'forced', 'emergency'] as const)(
    '%s: is not sent to the target, and not published',
    async (mode) => {
      for (const password of ['chosen', 'the-dba-password']) {
        const { world, put } = stored({ username: 'dba', password });
        put();
        const request = { vault: world.vault.name, secret: world.secret, requestedBy: 'Anna', rotationId: id('1') };
        const result = await rotate(world.deps(), { ...request, mode });
        expect(result).toMatchObject({ kind: 'failed', failure: { code: 'pending-taken' } });
        expect(JSON.stringify(result)).not.toContain(password);
        expect(world.target.touched).toEqual([]);
        expect(world.vault.count(world.secret)).toBe(1);
      }
    },
  );

  test('that logs in is no proof of a version that does not: nobody is ended for it', async () => {
    const { world, put } = stored({ username: 'app', password: 'x' });
    const from = publish(world, { username: 'dba', password: 'junk-of-before' });
    const rotation = `id=${id('a')};from=${from};retire-by=2020-01-01T00:00:00Z;revoke=key:ops`;
    publish(world, { username: 'dba', password: 'junk' }, { [stampTag]: rotation });
    world.target.set('app', ['x']);
    world.target.touched = [];
    put();
    const request = { vault: world.vault.name, secret: world.secret, requestedBy: 'sweep', rotationId: id('a') };
    expect(await retire(world.deps(), { ...request, mode: 'scheduled' })).toMatchObject({
      ...{ kind: 'failed', failure: { code: 'credential-drifted' } },
    });
    expect(world.target.sessions).toHaveLength(1);
    expect(world.target.touched).toEqual([]);
  });
});

describe('somebody names the login of another secret in their own, with a password that does not log in', () => {
  test.each(['single-user', 'alternating-users', 'dual-password'] as const)(
    '%s: the emergency of that other secret goes through, and what leaked is dead',
    async (strategy) => {
      const world = makeWorld(strategy);
      world.logins.complete.clear();
      for (const [secret, username, admin] of [
        ['mine-a', 'app', 'orders-admin'],
        ['mine-b', 'app_alt', 'nowhere'],
        ['mine-c', 'app', 'orders-admin'],
      ] as const) {
        const tags = { rotator: 'memory', strategy, admin };
        world.vault.put(secret, { value: value(username, 'no-password-of-it'), tags });
      }
      const leaked = { username: 'app', password: new SecretText(world.firstPassword) };
      const request = { vault: world.vault.name, secret: world.secret, requestedBy: 'Anna', rotationId: id('1') };
      expect(await rotate(world.deps(), { ...request, mode: 'emergency' })).toMatchObject({ kind: 'rotated' });
      expect(world.target.accepts(leaked)).toBe(false);
      expect(world.target.accepts(world.current())).toBe(true);
      for (const secret of ['mine-a', 'mine-b', 'mine-c']) expect(world.vault.count(secret)).toBe(1);
    },
  );

  test('one whose rotation stopped between the target and the vault still counts', async () => {
    const world = makeWorld('single-user');
    world.logins.complete.clear();
    const tags = { rotator: 'memory', strategy: 'single-user', admin: 'orders-admin' };
    const from = world.vault.put('reports', { value: value('app', 'before'), tags });
    world.vault.put(pendingNameOf('reports'), {
      value: value('app', world.firstPassword),
      tags: { [stampTag]: `id=${id('c')};from=${from}` },
    });
    const request = { vault: world.vault.name, secret: world.secret, requestedBy: 'Anna', rotationId: id('1') };
    expect(await rotate(world.deps(), { ...request, mode: 'emergency' })).toMatchObject({
      ...{ kind: 'failed', failure: { code: 'login-shared' } },
    });
    expect(world.target.touched).toEqual([]);
  });
});
