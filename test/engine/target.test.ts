/** Where credentials go: whoever may edit one secret must not be able to have another sent to a host of their choice. */
import { describe, expect, test } from 'vitest';
import type { Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { readCurrent } from '../../shared/engine/policy/current.ts';
import { prepare } from '../../shared/engine/running/target.ts';
import { type Failure, isFailure } from '../../shared/errors.ts';
import { makeWorld } from './world.ts';

const signal = new AbortController().signal;
const host = 'db.contoso.test';

interface Case {
  /** The value of the secret; absent: as the world has it. */
  readonly value?: object;
  readonly admin?: object | string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly identityHosts?: readonly string[];
  /** Tags of the admin secret besides `serves`. */
  readonly adminTags?: Readonly<Record<string, string>>;
}

async function prepared({
  value,
  admin,
  tags = {},
  identityHosts = [],
  adminTags = {},
}: Case): Promise<Step | Failure> {
  const { vault, secret, deps } = makeWorld('single-user');
  const before = vault.newest(secret);
  const all = Object.fromEntries(Object.entries({ ...before.tags, ...tags }).filter(([, tag]) => tag !== ''));
  const text = value === undefined ? before.value : new SecretText(JSON.stringify(value));
  vault.put(secret, { value: text, contentType: 'application/json', tags: all });
  if (admin !== undefined) {
    const written = typeof admin === 'string' ? admin : JSON.stringify(admin);
    vault.put('orders-admin', { value: new SecretText(written), tags: { serves: '*', ...adminTags } });
  }
  const known = { ...deps(), identityLogin: (name: string) => (identityHosts.includes(name) ? 'keyturn' : undefined) };
  const current = await readCurrent(known, vault, secret, signal);
  if (current.kind !== 'current') throw new Error(`the secret of this test is ${current.kind}`);
  const target = await prepare(known, vault, current, { rotationId: '1'.repeat(32), emergency: false }, signal);
  return isFailure(target) ? target : target.stepFor({ signal, remainingMs: () => 1_000 });
}

const login = { username: 'app', password: 'p' };
const root = { username: 'root', password: 'r' };

test('the tag "password" binds every password of the step, with what the rotator asks', async () => {
  const step = await prepared({
    value: login,
    admin: { ...root, host },
    tags: { password: 'length=48;require=special;exclude=aZ9' },
  });
  if ('kind' in step) throw new Error(step.message);
  expect(step.passwordRules).toEqual({ length: 48, require: { special: 1 }, exclude: 'aZ9' });
  for (let i = 0; i < 50; i++) {
    expect(step.newPassword().reveal()).toMatch(/^(?=.*[._~-])[^aZ9]{48}$/);
    expect(step.newPassword({ require: { digit: 9 } }).reveal()).toMatch(/^(?=.*[._~-])(?=(?:.*\d){9})[^aZ9]{48}$/);
  }
});

describe('with an admin connection', () => {
  test('a value without a host: both connect to the host of the admin', async () => {
    expect(await prepared({ value: login, admin: { ...root, host, port: 5433 } })).toMatchObject({
      endpoint: { host, port: 5433 },
      adminEndpoint: { host, port: 5433 },
      admin: { kind: 'connection', secret: 'orders-admin', credential: { username: 'root' } },
    });
  });

  test('a value with the same host: its own port and database for the login, those of the admin for the admin', async () => {
    const value = { ...login, host: host.toUpperCase(), port: 6432, database: 'shop' };
    const step = await prepared({ value, admin: { ...root, host, port: 5432, database: 'postgres' } });
    expect(step).toMatchObject({
      endpoint: { host, port: 6432, database: 'shop' },
      adminEndpoint: { host, port: 5432, database: 'postgres' },
    });
  });

  test.each([
    ['another host', 'evil.test'],
    ['a host that begins like it', `${host}.evil.test`],
    ['a host that ends like it', `evil-${host}`],
  ])('a value that names %s: refused, and the admin goes nowhere', async (_, other) => {
    expect(await prepared({ value: { ...login, host: other } })).toMatchObject({
      code: 'host-mismatch',
      message: expect.stringContaining(`${other} and ${host}`),
    });
  });

  test.each([
    ['a JDBC URL', { ...login, url: 'jdbc:postgresql://prod.test/shop' }],
    ['a URL beside the host of the admin', { ...login, host, url: 'postgres://prod.test/shop' }],
    ['an ADO.NET string', { ...login, connection: 'Server=prod.test;Database=shop' }],
    ['a host in another object', { auth: login, server: { host: 'prod.test' } }],
  ])('a value that names another host in %s: refused, and the admin goes nowhere', async (_, value) => {
    expect(await prepared({ value })).toMatchObject({
      code: 'host-mismatch',
      message: expect.stringContaining(`prod.test and ${host}`),
    });
  });

  test('an address that cannot be read is refused instead of taken from the admin', async () => {
    expect(await prepared({ value: { ...login, url: 'jdbc:oracle:thin:@prod.test:1521' } })).toMatchObject({
      code: 'value-unreadable',
      class: 'config',
    });
  });

  test('a list of hosts: those of the admin are used, in their order', async () => {
    const value = { url: `postgres://app:p@h1.test:1,${host}:2,h3.test:3/shop` };
    const one = await prepared({ value, admin: { ...root, host } });
    expect(one).toMatchObject({ endpoint: { host, port: 2, database: 'shop' } });
    expect(one).not.toHaveProperty('endpoint.hosts');
    expect(await prepared({ value, admin: { ...root, host: `h3.test,${host}` } })).toMatchObject({
      endpoint: {
        host,
        port: 2,
        hosts: [
          { host, port: 2 },
          { host: 'h3.test', port: 3 },
        ],
      },
      adminEndpoint: { host: 'h3.test', hosts: [{ host: 'h3.test' }, { host }] },
    });
  });

  describe('that lists other names of its server', () => {
    const admin = { ...root, host, port: 5432 };
    const reader = 'orders-ro.contoso.test';

    test.each([
      ['in the tag "names"', { names: `listener.contoso.test, ${reader.toUpperCase()}` }],
      ['behind "serves"', { serves: `*;names=${reader}` }],
      ['in both', { serves: '*;names=listener.contoso.test', names: reader }],
    ])('%s: the login goes to the name in the value, the admin to the host of its own secret', async (_, adminTags) => {
      const step = await prepared({ value: { ...login, host: reader, port: 6432 }, admin, adminTags });
      expect(step).toMatchObject({ endpoint: { host: reader, port: 6432 }, adminEndpoint: { host, port: 5432 } });
      expect(step).not.toHaveProperty('adminEndpoint.hosts');
    });

    test.each([
      ['a name under a listed one', `x.${reader}`],
      ['a name that a listed one begins with', 'orders-ro'],
      ['a name that begins like a listed one', `${reader}.evil.test`],
    ])('a value with %s is refused', async (_, other) => {
      const refused = await prepared({ value: { ...login, host: other }, admin, adminTags: { names: reader } });
      expect(refused).toMatchObject({ code: 'host-mismatch' });
    });

    test('a second host in another field must be listed as well', async () => {
      const value = { ...login, host: reader, url: 'postgres://prod.test/shop' };
      expect(await prepared({ value, admin, adminTags: { names: reader } })).toMatchObject({ code: 'host-mismatch' });
      const adminTags = { names: `${reader} prod.test` };
      expect(await prepared({ value, admin, adminTags })).toMatchObject({ endpoint: { host: reader } });
    });

    test.each(['*', '*.contoso.test', 'orders-*', `${reader}:5432`, `https://${reader}`, '10.0.0.0/8', '10.0.0'])(
      'with "%s", which is no whole host name, the admin is not used',
      async (names) => {
        const refused = await prepared({ value: { ...login, host: reader }, admin, adminTags: { names } });
        expect(refused).toMatchObject({ code: 'admin-invalid', message: expect.stringContaining(`"${names}"`) });
      },
    );

    test('the refusal has the line that lists the host, with all tags of the admin', async () => {
      const adminTags = { owner: 'team a', names: 'listener.contoso.test' };
      const refused = await prepared({ value: { ...login, host: reader }, admin, adminTags });
      if (!('hint' in refused)) throw new Error('it was not refused');
      expect(refused.hint).toContain(`Only if ${reader} is another name of the same server`);
      expect(refused.hint).toContain(
        `az keyvault secret set-attributes --vault-name contoso-kv -n orders-admin --tags 'serves=*' 'owner=team a' names=listener.contoso.test,${reader}`,
      );
    });
  });

  test.each<[string, object | string, RegExp]>([
    ['no host', root, /names no host/],
    ['no login', { password: 'r', host }, /names no login/],
    ['nothing that can be read', '{"host":', /cannot be used/],
  ])('an admin secret with %s is named', async (_, admin, message) => {
    expect(await prepared({ admin })).toMatchObject({
      code: 'admin-invalid',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('orders-admin'),
    });
  });

  test('an admin secret that is not there is named', async () => {
    expect(await prepared({ tags: { admin: 'nobody' } })).toMatchObject({
      code: 'admin-invalid',
      message: expect.stringContaining('not-found'),
    });
  });
});

describe('with the identity of the app', () => {
  const tags = { admin: 'managed-identity' };

  test('a host that the settings name gets the login they give it', async () => {
    expect(await prepared({ tags, identityHosts: [host] })).toMatchObject({
      admin: { kind: 'identity', username: 'keyturn' },
      endpoint: { host },
    });
  });

  test.each([
    ['a host nobody named', { ...login, host: 'evil.test' }, /evil\.test is not in KEYTURN_IDENTITY_TARGETS/],
    ['no host', login, /names no host/],
    ['a second host nobody named', { ...login, host, url: 'postgres://evil.test/shop' }, /evil\.test is not in/],
  ])('%s gets no token', async (_, value, message) => {
    expect(await prepared({ value, tags, identityHosts: [host] })).toMatchObject({
      code: 'admin-invalid',
      message: expect.stringMatching(message),
    });
  });
});

describe('with the login itself', () => {
  test('it connects where its own value says', async () => {
    const step = await prepared({ value: { ...login, host: 'own.test' }, tags: { admin: '' } });
    expect(step).toMatchObject({ admin: { kind: 'self' }, endpoint: { host: 'own.test' } });
  });

  test('a value without a host cannot be used', async () => {
    expect(await prepared({ value: login, tags: { admin: '' } })).toMatchObject({ code: 'value-unreadable' });
  });
});
