/** Two secrets of one login, pair or resource: found before anything changes, whatever is known of them. */
import { describe, expect, test } from 'vitest';
import { rotators } from '../../rotators/registry.ts';
import { hostNames } from '../../shared/contract/hosts.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { parsePolicy } from '../../shared/engine/policy/policy.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { printsOf } from '../../shared/engine/sharing/prints.ts';
import { plan } from '../../shared/operations/inspect.ts';
import { dayMs, MemoryVault, makeWorld, type World } from './world.ts';

const id = (letter: string): string => letter.repeat(32);

function ask(world: World, secret = world.secret, mode: RotationRequest['mode'] = 'asked', deps = world.deps()) {
  const request = { vault: world.vault.name, secret, mode, rotationId: id('1'), requestedBy: 'Anna' };
  return rotate(deps, request);
}

/** Another secret with a value of its own. */
function put(world: World, name: string, value: object, tags: Record<string, string> = {}, vault = world.vault): void {
  // Nobody has looked at it yet: an event or the sweep does that.
  world.logins.complete.clear();
  vault.put(name, {
    value: new SecretText(JSON.stringify(value)),
    contentType: 'application/json',
    tags: { rotator: 'memory', strategy: 'alternating-users', admin: 'orders-admin', ...tags },
  });
}

const app = (world: World) => ({ username: 'app', host: 'db.contoso.test', password: world.firstPassword });

describe('two secrets of one login', () => {
  test.each(['asked', 'forced', 'scheduled', 'emergency'] as const)(
    '%s: neither is rotated, and nothing is changed',
    async (mode) => {
      const world = makeWorld('alternating-users');
      put(world, 'orders-copy', app(world));
      for (const [secret, other] of [
        ['orders-db', 'orders-copy'],
        ['orders-copy', 'orders-db'],
      ] as const) {
        const result = await ask(world, secret, mode);
        const skipped = mode === 'scheduled' && secret === 'orders-copy';
        if (skipped) expect(result).toMatchObject({ kind: 'skipped', reason: 'not-due' });
        else expect(result).toMatchObject({ kind: 'failed', failure: { code: 'login-shared' } });
        if (result.kind === 'failed') {
          expect(result.failure.message).toContain(other);
          expect(result.failure.message).not.toContain(world.firstPassword);
        }
        expect(world.vault.count(secret)).toBe(1);
      }
      expect(world.target.touched).toEqual([]);
    },
  );

  test('are seen also where one publishes the other login of the pair', async () => {
    const world = makeWorld('alternating-users');
    world.target.set('app_alt', ['theirs']);
    world.target.touched = [];
    put(
      world,
      'reports',
      { username: 'app_alt', host: 'DB.contoso.test.', password: 'theirs' },
      { strategy: 'single-user' },
    );
    expect(await ask(world)).toMatchObject({ kind: 'failed', failure: { code: 'login-shared' } });
    expect(world.target.touched).toEqual([]);
  });

  test('are seen in any of the app’s vaults', async () => {
    const world = makeWorld('alternating-users');
    const eu = new MemoryVault();
    Object.assign(eu, { name: 'eu-kv' });
    eu.put('orders-admin', { value: world.vault.newest('orders-admin').value, tags: { serves: '*' } });
    put(world, 'orders-db', app(world), {}, eu);
    const deps = {
      ...world.deps(),
      vaults: new Map([
        [world.vault.name, world.vault],
        ['eu-kv', eu],
      ]),
    };
    const result = await ask(world, world.secret, 'asked', deps);
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'login-shared' } });
    if (result.kind === 'failed') expect(result.failure.message).toContain('eu-kv/orders-db');
  });

  test('are seen again from the vault alone once the index is lost', async () => {
    const world = makeWorld('alternating-users');
    put(world, 'orders-copy', app(world));
    await ask(world);
    world.logins.seen.clear();
    world.logins.complete.clear();
    expect(await ask(world)).toMatchObject({ kind: 'failed', failure: { code: 'login-shared' } });
  });

  test('are none any more once the other has a login of its own, is not managed, or is gone', async () => {
    for (const end of ['login', 'tag', 'gone'] as const) {
      const world = makeWorld('alternating-users');
      put(world, 'orders-copy', app(world));
      expect(await ask(world)).toMatchObject({ kind: 'failed' });
      if (end === 'login')
        put(world, 'orders-copy', { ...app(world), username: 'reports' }, { strategy: 'single-user' });
      if (end === 'tag') world.vault.newest('orders-copy').tags = {};
      if (end === 'gone') world.vault.secrets.delete('orders-copy');
      expect(await ask(world), end).toMatchObject({ kind: 'rotated' });
    }
  });

  test('what was begun before the other came is finished', async () => {
    const world = makeWorld('single-user');
    const verify = world.rotator.verify.bind(world.rotator);
    let applied = false;
    const apply = world.rotator.apply.bind(world.rotator);
    world.rotator.apply = async (...given) => {
      applied = true;
      return apply(...given);
    };
    world.rotator.verify = async (...given) => (applied ? { kind: 'unreachable', detail: 'cut' } : verify(...given));
    expect(await ask(world)).toMatchObject({ kind: 'failed', failure: { code: 'target-unreachable' } });
    put(world, 'orders-copy', app(world), { strategy: 'single-user' });
    world.rotator.verify = verify;
    expect(await ask(world)).toMatchObject({ kind: 'rotated' });
    expect(world.target.accepts(world.current())).toBe(true);
  });

  test('an old login lives at the end of its overlap while another secret publishes it', async () => {
    const world = makeWorld('alternating-users');
    expect(await ask(world)).toMatchObject({ kind: 'rotated' });
    put(world, 'orders-copy', app(world));
    world.vault.now = new Date(world.vault.now.getTime() + dayMs + 1_000);
    const { rotationId = '' } = readStamp(world.vault.newest(world.secret).tags) ?? {};
    const request = { vault: world.vault.name, secret: world.secret, rotationId, requestedBy: 'overlap' };
    expect(await retire(world.deps(), { ...request, mode: 'scheduled' })).toMatchObject({
      ...{ kind: 'failed', failure: { code: 'login-shared' } },
    });
    expect(world.target.logins.get('app')?.size).toBe(1);
  });

  test('a plan says it before anybody asks', async () => {
    const world = makeWorld('alternating-users');
    put(world, 'orders-copy', app(world));
    const made = await plan(
      world.deps(),
      world.vault,
      { secret: world.secret, mode: 'asked' },
      new AbortController().signal,
    );
    expect(made).toMatchObject({ checks: [expect.objectContaining({ name: 'login', state: 'failed' })] });
  });
});

describe('a secret that names the login of another one, and does not log in as it', () => {
  const named = (world: World) => ({ username: 'app', host: 'db.contoso.test', password: `${world.firstPassword}x` });

  test.each(['asked', 'scheduled', 'forced', 'emergency'] as const)(
    '%s: stops no rotation but its own',
    async (mode) => {
      for (const strategy of ['alternating-users', 'single-user'] as const) {
        const world = makeWorld(strategy);
        put(world, 'orders-copy', named(world), { strategy });
        const own = await ask(world, 'orders-copy', mode === 'scheduled' ? 'asked' : mode);
        expect(own).toMatchObject({ kind: 'failed' });
        expect(world.target.touched, 'by its own rotation').toEqual([]);
        expect(await ask(world, world.secret, mode), strategy).toMatchObject({ kind: 'rotated' });
        expect(world.target.accepts(world.current())).toBe(true);
      }
    },
  );

  test('stops no end of an old credential', async () => {
    const world = makeWorld('alternating-users');
    expect(await ask(world)).toMatchObject({ kind: 'rotated' });
    put(world, 'orders-copy', named(world));
    world.vault.now = new Date(world.vault.now.getTime() + dayMs + 1_000);
    const { rotationId = '' } = readStamp(world.vault.newest(world.secret).tags) ?? {};
    const request = { vault: world.vault.name, secret: world.secret, rotationId, requestedBy: 'overlap' };
    expect(await retire(world.deps(), { ...request, mode: 'scheduled' })).toMatchObject({ kind: 'retired' });
    expect(world.target.logins.get('app')?.size).toBe(0);
  });

  test('is in the way where a version that a repair would go back to logs in', async () => {
    const world = makeWorld('alternating-users');
    put(world, 'orders-copy', app(world));
    put(world, 'orders-copy', named(world));
    expect(await ask(world)).toMatchObject({ kind: 'failed', failure: { code: 'login-shared' } });
    expect(world.target.touched).toEqual([]);
  });

  test('is not where its earlier version logs in as somebody else', async () => {
    const world = makeWorld('alternating-users');
    world.target.set('reports', ['theirs']);
    put(world, 'orders-copy', { ...app(world), username: 'reports', password: 'theirs' }, { strategy: 'single-user' });
    put(world, 'orders-copy', named(world), { strategy: 'single-user' });
    expect(await ask(world)).toMatchObject({ kind: 'rotated' });
    expect(world.target.logins.get('reports')?.has('theirs')).toBe(true);
  });

  test('however many there are, locks no login', async () => {
    const world = makeWorld('alternating-users');
    world.target.locksAfter = 2;
    for (let one = 0; one < 8; one++) put(world, `orders-copy-${one}`, named(world));
    expect(await ask(world)).toMatchObject({ kind: 'rotated' });
    expect(world.target.failures.get('app') ?? 0).toBe(0);
  });

  test('counts as sharing while the target gives no answer', async () => {
    const world = makeWorld('alternating-users');
    put(world, 'orders-copy', named(world));
    const verify = world.rotator.verify.bind(world.rotator);
    world.rotator.verify = async (step, credential) =>
      credential.password.reveal() === named(world).password
        ? { kind: 'unreachable', detail: 'cut' }
        : verify(step, credential);
    expect(await ask(world)).toMatchObject({ kind: 'failed', failure: { code: 'target-unreachable' } });
    expect(world.target.touched).toEqual([]);
  });
});

describe('an idle login', () => {
  test('that nobody retired for the secret and that somebody is on is left alone', async () => {
    const world = makeWorld('alternating-users');
    world.target.set('app_alt', ['theirs']);
    world.target.touched = [];
    world.target.sessions.push({ login: 'app_alt', password: 'theirs' });
    expect(await ask(world)).toMatchObject({ kind: 'failed', failure: { code: 'login-shared' } });
    expect(world.target.touched).toEqual([]);
    expect(await ask(world, world.secret, 'emergency'), 'in an emergency').toMatchObject({ kind: 'rotated' });
  });
});

describe('a fingerprint', () => {
  const entries = new Map(rotators.map((entry) => [entry.name, entry]));
  const defaults = { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: dayMs };
  const prints = (rotator: string, username: string | undefined, host: string, tags: Record<string, string> = {}) => {
    const parsed = parsePolicy({ rotator, admin: 'a', ...tags }, defaults, entries);
    if (parsed.kind !== 'policy') throw new Error(JSON.stringify(parsed));
    const [name = '', port] = host.split(':');
    const endpoint = { host: name, options: {}, database: tags['database'] ?? 'shop' };
    const endpoints = [port === undefined ? endpoint : { ...endpoint, port: Number(port) }];
    return printsOf(parsed.policy, { credential: username === undefined ? {} : { username }, endpoints });
  };
  const meet = (one: readonly string[], other: readonly string[]) => one.some((print) => other.includes(print));

  test.each([
    ['postgres', 'db.contoso.test', 'DB.Contoso.Test.:5432'],
    ['postgres', 'shop.postgres.database.azure.com', 'shop.privatelink.postgres.database.azure.com'],
    ['mysql', 'db.contoso.test', 'db.contoso.test:3306'],
    ['redis', '127.0.0.1', 'localhost:6379'],
    ['sql-server', 'sql.contoso.test', 'SQL.contoso.test:1433'],
  ])('of %s is one for %s and %s', (rotator, one, other) => {
    expect(meet(prints(rotator, 'app', one), prints(rotator, 'app', other))).toBe(true);
    expect(meet(prints(rotator, 'app', one), prints(rotator, 'reports', one))).toBe(false);
    expect(meet(prints(rotator, 'app', one), prints(rotator, 'app', 'other.contoso.test'))).toBe(false);
    expect(meet(prints(rotator, 'app', one), prints(rotator, 'app', `${one}:7777`))).toBe(false);
  });

  test('of a pair meets both of its logins', () => {
    const pair = prints('postgres', 'app', 'db');
    expect(meet(pair, prints('postgres', 'app_alt', 'db', { strategy: 'single-user' }))).toBe(true);
    expect(
      meet(
        prints('postgres', 'a', 'db', { users: 'a, b' }),
        prints('postgres', 'b', 'db', { strategy: 'single-user' }),
      ),
    ).toBe(true);
  });

  test('of a Redis value without a login is of the default user', () => {
    expect(meet(prints('redis', undefined, 'cache'), prints('redis', 'default', 'cache'))).toBe(true);
  });

  test('of SQL Server goes by the server, and by the database on Azure SQL, where users are contained in one', () => {
    const [shop, hr] = [{ database: 'shop' }, { database: 'hr' }];
    expect(meet(prints('sql-server', 'App', 'sql', shop), prints('sql-server', 'app', 'sql', hr))).toBe(true);
    const azure = 'shop.database.windows.net';
    expect(meet(prints('sql-server', 'app', azure, shop), prints('sql-server', 'app', azure, hr))).toBe(false);
    expect(meet(prints('sql-server', 'app@shop', azure, shop), prints('sql-server', 'app', azure, shop))).toBe(true);
  });

  test('of keys is one for a resource, an application, an account', () => {
    const storage =
      '/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/shop';
    const key = (resource: string) => prints('azure-keys', undefined, '', { resource });
    expect(meet(key(storage), key(storage.toUpperCase().replace('/SUBSCRIPTIONS', '/subscriptions')))).toBe(true);
    expect(meet(key(storage), key(`${storage}2`))).toBe(false);
    const guid = '11111111-2222-3333-4444-555555555555';
    expect(prints('entra-app', undefined, '', { resource: `${guid}/${guid}` })).toHaveLength(1);
    expect(prints('http-keys', undefined, '', { provider: 'sendgrid' })).toHaveLength(1);
    expect(prints('self-issued', undefined, '')).toEqual([]);
  });

  test('names every host of a list', () => {
    const endpoint = {
      host: 'h1',
      port: 5432,
      hosts: [
        { host: 'h1', port: 5432 },
        { host: 'H2', port: 5433 },
      ],
      options: {},
    };
    expect(hostNames([endpoint], 5432)).toEqual(['h1:5432', 'h2:5433']);
  });
});
