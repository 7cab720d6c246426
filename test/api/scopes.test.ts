/** A role that is bounded to some secrets reaches no other one, on any route. */
import { describe, expect, test } from 'vitest';
import { type Caller, callerOf, type Identity, may } from '../../shared/api/caller.ts';
import type { ApiDependencies } from '../../shared/api/dependencies.ts';
import type { Route } from '../../shared/api/route.ts';
import { allRoutes } from '../../shared/api/routes.ts';
import { makeApi } from '../../shared/api/serve.ts';
import { apiKeys, roleScopes } from '../../shared/config/access.ts';
import type { Grant } from '../../shared/contract/access.ts';

const hash = 'a'.repeat(64);
const id = '11111111-2222-3333-4444-555555555555';
const scope = { vaults: 'prod-kv', secrets: 'orders-*' };

function callerWith(grants: readonly Grant[]): Caller {
  return { kind: 'caller', id: 'key:ci', name: 'key:ci', how: 'key', person: false, grants, consumers: ['shop'] };
}

/** Handlers have nothing to work with: what gets past the check of the role ends as a mistake, and what does not as a refusal. */
const nothing = new Proxy({}, { get: () => undefined }) as ApiDependencies;
const routes = allRoutes(nothing);
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function statusOf(route: Route, path: string, caller: Caller): Promise<number> {
  const api = makeApi(routes, { configured: true, authenticate: async () => caller });
  const body = async () => ({ kind: 'bytes' as const, bytes: new TextEncoder().encode('{}') });
  const header = (name: string) => (name === 'content-type' ? 'application/json' : undefined);
  return (await api.handle({ method: route.method, url: `https://app/api/v1${path}`, header, body }, quiet)).status;
}

const fill = (route: Route, vault: string, secret: string): string =>
  route.path
    .replace('{vault}', vault)
    .replace('{secret}', secret)
    .replace('{version}', 'b'.repeat(32))
    .replace('{rotationId}', 'c'.repeat(32))
    .replace('{approvalId}', 'd'.repeat(32));

const guarded = routes.filter(({ needs }) => needs !== 'anybody');
const roleFor = ({ needs }: Route) => (needs === 'consumer' ? ('consumer' as const) : ('emergency' as const));

describe.each(guarded.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', (_, route) => {
  const bounded = callerWith([{ role: roleFor(route), scope }]);

  if (route.path.includes('{secret}')) {
    test('is open within the bounds and closed beyond them, in any case', async () => {
      expect(await statusOf(route, fill(route, 'prod-kv', 'orders-db'), bounded)).not.toBe(403);
      expect(await statusOf(route, fill(route, 'PROD-KV', 'Orders-DB'), bounded)).not.toBe(403);
      for (const [vault, secret] of [
        ['prod-kv', 'billing-db'],
        ['test-kv', 'orders-db'],
        ['prod-kv', 'my-orders-db'],
      ] as const) {
        expect(await statusOf(route, fill(route, vault, secret), bounded), `${vault}/${secret}`).toBe(403);
      }
    });
  } else if (route.covers === 'each') {
    test('looks at each secret itself', async () => {
      expect(await statusOf(route, fill(route, '', ''), bounded)).not.toBe(403);
    });
  } else {
    test('takes a role without bounds', async () => {
      expect(await statusOf(route, fill(route, '', ''), bounded)).toBe(403);
      expect(await statusOf(route, fill(route, '', ''), callerWith([{ role: roleFor(route) }]))).not.toBe(403);
    });
  }
});

test('routes that look at each secret themselves are few, and each is known', () => {
  const each = routes.filter(({ covers }) => covers === 'each').map(({ method, path }) => `${method} ${path}`);
  expect(each.sort()).toEqual([
    'GET /approvals',
    'GET /approvals/{approvalId}',
    'GET /freeze',
    'GET /health/details',
    'GET /me',
    'GET /openapi.json',
    'GET /overview',
    'GET /rotations/{rotationId}',
    'GET /secrets',
    'POST /alerts',
    'POST /approvals/{approvalId}/approve',
    'POST /rotations',
  ]);
});

test('a role with bounds does not add up to one without: each secret is covered by one grant whole', () => {
  const two = callerWith([
    { role: 'operator', scope: { vaults: 'prod-kv', secrets: 'orders-*' } },
    { role: 'reader', scope: { vaults: 'test-kv', secrets: '*' } },
  ]);
  expect(may(two, 'operator', { vault: 'test-kv', secret: 'orders-db' })).toBe(false);
  expect(may(two, 'reader', { vault: 'test-kv', secret: 'orders-db' })).toBe(true);
  expect(may(two, 'reader', 'everywhere')).toBe(false);
});

describe('bounds of an identity of Entra', () => {
  const scopes = new Map([[id, [{ role: 'operator' as const, scope }]]]);
  const identity = (more: Partial<Identity> = {}): Identity => ({
    ...{ objectId: 'aaaaaaaa-0000-0000-0000-000000000001', applicationId: undefined, displayName: 'Ann' },
    ...{ roles: ['Keyturn.Operator'], groups: [], ...more },
  });
  const grantsOf = (given: Identity) => {
    const caller = callerOf(given, 'token', { consumers: new Map(), scopes });
    return caller?.kind === 'caller' ? caller.grants : caller?.kind;
  };

  test('come from the user, the application or a group', () => {
    expect(grantsOf(identity({ objectId: id.toUpperCase() }))).toEqual([{ role: 'operator', scope }]);
    expect(grantsOf(identity({ applicationId: id }))).toEqual([{ role: 'operator', scope }]);
    expect(grantsOf(identity({ groups: [id] }))).toEqual([{ role: 'operator', scope }]);
  });

  test('give nobody a role that Entra does not, and leave one without an entry unbounded', () => {
    expect(grantsOf(identity({ objectId: id, roles: ['Keyturn.Reader'] }))).toEqual([{ role: 'reader' }]);
    expect(grantsOf(identity({ objectId: id, roles: [] }))).toEqual([]);
    expect(grantsOf(identity())).toEqual([{ role: 'operator' }]);
  });

  test.each(['x'.repeat(65), `${id}\n`, `${id} x`, ''])('an id that could be none is nobody: %j', (objectId) => {
    expect(grantsOf(identity({ objectId }))).toBeUndefined();
  });

  test('are not escaped by a token that leaves its groups out', () => {
    expect(grantsOf(identity({ groups: 'overflow' }))).toBe('refused');
    const unbounded = callerOf(identity({ groups: 'overflow' }), 'token', { consumers: new Map(), scopes: new Map() });
    expect(unbounded?.kind).toBe('caller');
  });
});

describe('the settings', () => {
  test('bound a key and an identity', () => {
    expect(apiKeys(`ci:operator@prod-kv/orders-*:${hash}`)).toMatchObject({
      value: [{ name: 'ci', role: 'operator', scope, sha256: hash }],
    });
    expect(roleScopes(`${id}=operator@prod-kv/orders-*, ${id}=reader@*/*`)).toMatchObject({
      value: new Map([
        [
          id,
          [
            { role: 'operator', scope },
            { role: 'reader', scope: { vaults: '*', secrets: '*' } },
          ],
        ],
      ]),
    });
  });

  test.each([
    `ci:operator@prod-kv:${hash}`,
    `ci:operator@prod-kv/a/b:${hash}`,
    `ci:operator@/x:${hash}`,
    `ci:operator@prod kv/x:${hash}`,
    `ci:operator@prod-kv/orders_db:${hash}`,
    `ci:boss@prod-kv/*:${hash}`,
    `ci:operator:${hash},ci:operator@prod-kv/*:${'b'.repeat(64)}`,
  ])('refuse %s', (text) => {
    expect(apiKeys(text)).not.toHaveProperty('value');
  });

  test.each([`${id}=operator`, `ann=operator@prod-kv/*`, `${id}`, `${id}=operator@prod-kv`])('refuse %s', (text) => {
    expect(roleScopes(text)).not.toHaveProperty('value');
  });
});
