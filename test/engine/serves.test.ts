import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listsName } from '../../shared/engine/policy/glob.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { lineToAdd, readAdminTags } from '../../shared/engine/running/admin-tags.ts';
import { makeWorld } from './world.ts';

test.each([
  ['orders-db', 'orders-db', true],
  ['ORDERS-DB', 'orders-db', true],
  ['orders-*', 'orders-db', true],
  ['*-db', 'orders-db', true],
  ['o*s-*b', 'orders-db', true],
  ['*', 'orders-db', true],
  ['billing-db, orders-db', 'orders-db', true],
  ['orders', 'orders-db', false],
  ['orders-db*x', 'orders-db', false],
  ['db-*-db', 'db-db', false],
  ['', 'orders-db', false],
  ['.*', 'orders-db', false],
  ['orders?db', 'orders-db', false],
])('"%s" lists %s: %s', (list, name, expected) => {
  expect(listsName(list, name)).toBe(expected);
});

test('a list is read as its pattern says, whatever is in it', () => {
  const part = fc.stringMatching(/^[a-z*-]{1,12}$/);
  fc.assert(
    fc.property(part, fc.stringMatching(/^[a-z-]{1,16}$/), (pattern, name) => {
      const regex = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
      expect(listsName(pattern, name)).toBe(regex.test(name));
    }),
  );
});

test.each([[{}], [{ serves: 'billing-*' }], [{ serves: '' }]])(
  'a secret that the admin does not serve (%o) gets no admin: no target is touched, and the line to paste keeps its tags',
  async (serves) => {
    const world = makeWorld('alternating-users');
    const { vault, secret } = world;
    vault.newest('orders-admin').tags = { ...serves, owner: "it's ours" };
    const request = { vault: vault.name, secret, mode: 'scheduled' as const, requestedBy: 'sweep' };
    const result = await rotate(world.deps(), request);
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'admin-not-serving', class: 'config' } });
    const hint = result.kind === 'failed' ? result.failure.hint : '';
    expect(hint).toContain('az keyvault secret set-attributes --vault-name contoso-kv -n orders-admin --tags ');
    expect(hint).toContain(`'owner=it'\\''s ours'`);
    expect(hint).toMatch(/serves=(?:billing-\*,)?orders-db/);
    expect(world.target.touched).toEqual([]);
    expect(vault.count(secret)).toBe(1);
  },
);

test('the line to paste puts a name behind "serves" where Key Vault takes no further tag, and is read back from there', () => {
  const { vault } = makeWorld('alternating-users');
  const own = Object.fromEntries(Array.from({ length: 14 }, (_, at) => [`t${at}`, 'x']));
  const admin = { name: 'orders-admin', ...vault.newest('orders-admin'), tags: { ...own, serves: 'orders-*' } };
  const line = lineToAdd('contoso-kv', admin, 'names', 'ro.contoso.test');
  expect(line).toContain(`'serves=orders-*;names=ro.contoso.test'`);
  expect(line.split('=')).toHaveLength(14 + 3);
  const tags = { ...own, serves: 'orders-*;names=ro.contoso.test' };
  expect(readAdminTags(tags)).toEqual({ serves: 'orders-*', names: ['ro.contoso.test'], noHosts: [] });
  expect(lineToAdd('contoso-kv', { ...admin, tags }, 'serves', 'billing')).toContain(
    `'serves=orders-*,billing;names=ro.contoso.test'`,
  );
  expect(lineToAdd('contoso-kv', { ...admin, tags }, 'names', 'ag.contoso.test')).toContain(
    `'serves=orders-*;names=ro.contoso.test,ag.contoso.test'`,
  );
});
