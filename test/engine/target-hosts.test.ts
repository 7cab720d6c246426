/** KEYTURN_TARGET_HOSTS bounds the hosts that a value may name. */
import { describe, expect, test } from 'vitest';
import { hostPatterns } from '../../shared/config/parsers.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { readCurrent } from '../../shared/engine/policy/current.ts';
import { listsHost } from '../../shared/engine/policy/glob.ts';
import { prepare } from '../../shared/engine/running/target.ts';
import { makeWorld } from './world.ts';

const signal = new AbortController().signal;
const host = 'db.contoso.test';
const login = { username: 'app', password: 'p' };
const root = { username: 'root', password: 'r' };

interface Case {
  readonly targetHosts: readonly string[];
  readonly localTargets?: boolean;
  readonly value: object;
  readonly admin?: object;
  readonly tag?: 'orders-admin' | 'managed-identity' | '';
}

async function outcomeOf({ targetHosts, localTargets = true, value, admin, tag = 'orders-admin' }: Case) {
  const { vault, secret, deps } = makeWorld('single-user');
  const tags = Object.entries({ ...vault.newest(secret).tags, admin: tag }).filter(([, text]) => text !== '');
  const contentType = 'application/json';
  vault.put(secret, { value: new SecretText(JSON.stringify(value)), contentType, tags: Object.fromEntries(tags) });
  if (admin !== undefined)
    vault.put('orders-admin', { value: new SecretText(JSON.stringify(admin)), tags: { serves: '*' } });
  const known = { ...deps(), targetHosts, localTargets, identityLogin: () => 'keyturn' };
  const current = await readCurrent(known, vault, secret, signal);
  if (current.kind !== 'current') throw new Error(`the secret of this test is ${current.kind}`);
  return prepare(known, vault, current, { rotationId: '1'.repeat(32), emergency: false }, signal);
}

const outside = (other: string, named = 'its value') => ({
  code: 'target-not-allowed',
  message: expect.stringContaining(`${named} names ${other}`),
});

const list = { ...login, url: `postgres://app:p@${host}:5432,db.evil.test:5432/shop` };

describe.each(['', 'managed-identity', 'orders-admin'] as const)('with the tag admin "%s"', (tag) => {
  const targetHosts = ['*.contoso.test'];

  test('a host that fits is connected to', async () => {
    expect(await outcomeOf({ targetHosts, tag, value: { ...login, host } })).toMatchObject({ kind: 'target' });
  });

  test.each([
    ['another host', { ...login, host: 'db.evil.test' }],
    ['a host of a list', list],
    ['a host in another field', { ...login, host, url: 'postgres://app:p@db.evil.test/shop' }],
  ])('%s that does not fit is refused before anything is sent', async (_, value) => {
    expect(await outcomeOf({ targetHosts, tag, value })).toMatchObject(outside('db.evil.test'));
  });

  test('without the setting any host is connected to', async () => {
    const admin = { ...root, host: 'db.elsewhere.test' };
    const value = { ...login, host: 'db.elsewhere.test' };
    expect(await outcomeOf({ targetHosts: [], tag, value, admin })).toMatchObject({ kind: 'target' });
  });
});

test('the hosts of an admin secret are bounded as well, each of its list', async () => {
  const targetHosts = ['db.contoso.test'];
  const evil = { targetHosts, value: login, admin: { ...root, host: 'db.evil.test' } };
  expect(await outcomeOf(evil)).toMatchObject(outside('db.evil.test', 'orders-admin'));
  const second = { ...root, url: `postgres://root:r@${host},db2.evil.test/postgres` };
  expect(await outcomeOf({ targetHosts, value: login, admin: second })).toMatchObject(
    outside('db2.evil.test', 'orders-admin'),
  );
});

test.each([
  ['*.contoso.test', 'DB.Contoso.Test.', true],
  ['*.contoso.test', 'db.eu.contoso.test', false],
  ['*.contoso.test', 'contoso.test', false],
  ['orders-*', 'orders-db', true],
  ['orders-*', 'orders-db.evil.test', false],
  ['*contoso.test', 'evilcontoso.test', true],
  ['db.contoso.test', 'db.contoso.test.evil.test', false],
  ['10.0.0.*', '10.0.0.7', true],
  ['10.0.0.*', '10.0.1.7', false],
  ['fd00::*', 'fd00::7', true],
  ['localhost', 'localhost', true],
])('%s and %s: %s', (pattern, name, fits) => {
  expect(listsHost([pattern], name)).toBe(fits);
});

test.each(['*', '*.*', 'a b', 'https://db.contoso.test', 'db.contoso.test:5432/x', 'db..test', 'a,*'])(
  'the setting refuses %s',
  (text) => {
    expect(hostPatterns(text)).toMatchObject({ kind: 'wrong' });
  },
);

describe('loopback', () => {
  const value = { ...login, host: '127.0.0.1' };
  const admin = { ...root, host: '127.0.0.1' };

  test('is a target with local credentials', async () => {
    expect(await outcomeOf({ targetHosts: [], value, admin })).toMatchObject({ kind: 'target' });
  });

  test.each(['127.0.0.1', 'localhost', '::1'])('is none (%s) for an app with an identity of its own', async (named) => {
    const asked = { targetHosts: [], localTargets: false, value: { ...login, host: named }, admin };
    expect(await outcomeOf(asked)).toMatchObject({
      code: 'target-not-allowed',
      hint: expect.not.stringContaining('KEYTURN_'),
    });
  });

  test('is one for such an app where its settings list it', async () => {
    const asked = { targetHosts: ['127.0.0.1'], localTargets: false, value, admin };
    expect(await outcomeOf(asked)).toMatchObject({ kind: 'target' });
  });
});
