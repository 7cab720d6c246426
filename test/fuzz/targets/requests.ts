/** Every route of the HTTP API: paths, queries, headers, bodies; and the alerts of Azure Monitor. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as z from 'zod';
import { authenticator } from '../../../shared/api/auth/authenticate.ts';
import type { ApiDependencies } from '../../../shared/api/dependencies.ts';
import type { Route } from '../../../shared/api/route.ts';
import { allRoutes } from '../../../shared/api/routes.ts';
import { type Api, makeApi } from '../../../shared/api/serve.ts';
import { roles } from '../../../shared/contract/access.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { hear } from '../heard.ts';
import { inMemory } from '../in-memory.ts';
import { hostile, type Json, odd, spoiled } from '../inputs.ts';
import { canary, holdsNoSecret, must, target } from '../target.ts';

const keyOf = (role: string) => `key of ${role} ${canary}`.replaceAll(' ', '-');
const keys = roles.map((role) => ({
  ...{ name: role, role },
  sha256: createHash('sha256').update(keyOf(role)).digest('hex'),
}));
/** The role that may do most is tried most. */
const keyed = ['emergency', 'emergency', 'emergency', ...roles].map(keyOf);
const access = { keys, scopes: new Map(), consumers: new Map(), platformVouches: false };

/** Routes are made once, since their schemas take a while; what they work with is new for each input. */
function apiOver(current: { app: ApiDependencies }): { readonly api: Api; readonly routes: readonly Route[] } {
  const deps = new Proxy(current.app, { get: (_, name) => Reflect.get(current.app, name) });
  const routes = allRoutes(deps);
  return { routes, api: makeApi(routes, authenticator(access, undefined)) };
}

const current = { app: inMemory().app };
const { api, routes } = apiOver(current);

/** Stands for the id of the version that is there. */
const first = 'f'.repeat(32);

/** What fields of these names take; any other field takes something odd. */
const fitting: Readonly<Record<string, readonly Json[]>> = {
  vault: ['contoso-kv', 'CONTOSO-KV', 'other-kv'],
  secret: ['orders-db', 'orders-admin', 'missing'],
  version: [first, 'a'.repeat(32)],
  to: [first],
  selector: [{ vault: 'contoso-kv' }, { rotator: 'memory' }, {}],
  rotationId: ['b'.repeat(32)],
  reason: ['leaked'],
  wait: ['true', 'false'],
  frozen: [true, false],
  force: [true, false],
  confirm: [0, 1],
  mode: ['asked', 'emergency', 'forced'],
  limit: ['10'],
};

const shape = z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() });

function namesIn(schema: z.ZodType | undefined): readonly string[] {
  if (schema === undefined) return [];
  const described = shape.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return Object.keys(described.properties ?? {});
}

const value = (name: string): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...(fitting[name] ?? ['x'])) }, { weight: 1, arbitrary: odd });

function fieldsOf(names: readonly string[]): fc.Arbitrary<Json> {
  const known = fc
    .record(Object.fromEntries(names.map((name) => [name, value(name)])), { requiredKeys: [] })
    .map(
      (all): Json =>
        Object.fromEntries(Object.entries(all).flatMap(([name, one]) => (one === undefined ? [] : [[name, one]]))),
    );
  return fc.oneof({ weight: 8, arbitrary: known }, { weight: 1, arbitrary: odd });
}

function pathOf(route: Route): fc.Arbitrary<string> {
  const parts = route.path.split('/').map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    const right = name === undefined ? [part] : (fitting[name] ?? ['x']).map(String);
    const wrong = hostile.map((text) => (text.isWellFormed() ? encodeURIComponent(text) : text));
    return fc.oneof({ weight: 14, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: wrong });
  });
  return fc.tuple(...parts).map((all) => all.join('/'));
}

const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 14, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const headers = fc.record({
  'content-type': fc.oneof({ weight: 14, arbitrary: fc.constant('application/json; charset=utf-8') }, hostile),
  'x-keyturn-key': fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...keyed) }, fc.constantFrom(canary, undefined)),
  authorization: rarely(fc.constantFrom(`Bearer ${canary}`, `Basic ${canary}`, canary, 'Bearer a.b.c', 'Bearer')),
  'x-ms-client-principal': rarely(fc.constantFrom(canary, Buffer.from('{}').toString('base64'))),
  'idempotency-key': rarely(fc.oneof(fc.constant('one'), hostile)),
  'content-length': rarely(fc.constantFrom('0', '9999999999', '-1', 'x')),
});

const asked = fc.constantFrom(...routes).chain((route) =>
  fc.record({
    method: fc.oneof({ weight: 20, arbitrary: fc.constant(route.method) }, fc.constantFrom('PUT', 'HEAD', 'x')),
    path: pathOf(route),
    query: fc.oneof({ weight: 14, arbitrary: fieldsOf(namesIn(route.schemas.query)) }, fc.constant({ code: canary })),
    headers,
    body: fc.oneof({ weight: 9, arbitrary: fieldsOf(namesIn(route.schemas.body)) }, odd),
    bytes: rarely(fc.uint8Array({ maxLength: 64 })),
  }),
);

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Json;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Json;
  readonly bytes?: Uint8Array | undefined;
}

function searchOf(query: Json): string {
  if (typeof query !== 'object' || query === null) return encodeURI(String(query).toWellFormed());
  const search = new URLSearchParams();
  for (const [name, one] of Object.entries(query))
    search.append(name, typeof one === 'string' ? one : JSON.stringify(one));
  return search.toString();
}

function textOf(body: unknown, version: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body).replaceAll(first, version));
}

async function ask({ method, path, query, headers, body, bytes }: Asked): Promise<void> {
  const { app, world } = inMemory();
  world.vault.put('orders-raw', { value: new SecretText(canary), tags: { rotator: 'memory', serves: '*' } });
  current.app = app;
  const search = searchOf(query);
  const heard = hear();
  const answer = await api.handle(
    {
      ...{ method, url: `https://app.test/api/v1${path.replace(first, world.firstVersion)}?${search}` },
      header: (name) => headers[name],
      body: async () => ({ kind: 'bytes', bytes: bytes ?? textOf(body, world.firstVersion) }),
    },
    heard.log,
  );
  must(answer.status !== 500, `no request is answered 500: ${JSON.stringify(answer.body)}`);
  must(answer.status >= 200 && answer.status < 600, 'an answer has a status');
  holdsNoSecret('the answer', { ...answer.headers, body: answer.body });
  heard.check();
}

export const requests = target('requests', 25, asked, ask);

const essentials = {
  ...{ alertId: '/subscriptions/1/alerts/1', originAlertId: '1', alertRule: 'leak', monitorCondition: 'Fired' },
  firedDateTime: '2026-01-01T00:00:00Z',
  description: canary,
};
const customProperties = { vault: 'contoso-kv', secret: 'orders-db', action: 'rotate' };
const data = { essentials, customProperties, alertContext: { password: canary } };
const schemaId = 'azureMonitorCommonAlertSchema';
const alertBodies = spoiled(
  { schemaId, data },
  { schemaId, data: { ...data, customProperties: { ...customProperties, action: 'emergency' } } },
  { schemaId, data: { ...data, essentials: { ...essentials, monitorCondition: 'Resolved' } } },
  { schemaId, data: { ...data, customProperties: null } },
);

export const alerts = target(
  'alerts',
  5,
  fc.record({ body: alertBodies, role: fc.constantFrom(...roles) }),
  ({ body, role }) =>
    ask({
      ...{ method: 'POST', path: '/alerts', body },
      query: { code: keyOf(role) },
      headers: { 'content-type': 'application/json' },
    }),
);
