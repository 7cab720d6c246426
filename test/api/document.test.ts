/** The description of the API: whole, the same as what is served, and the same as what people read. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { acknowledgementPath } from '../../consumer/index.ts';
import { describedRoutes, documentPath, documentText } from '../../local/describe-api.ts';
import { problemKinds } from '../../shared/api/problem.ts';
import { findRoute } from '../../shared/api/router.ts';

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
const { routes } = await describedRoutes();
const text = await documentText();
const json: unknown = JSON.parse(text);

const schema = z.record(z.string(), z.unknown());
const content = z.record(z.string(), z.strictObject({ schema }));
const response = z.union([
  z.strictObject({ $ref: z.string() }),
  z.strictObject({
    description: z.string().min(1),
    content: content.optional(),
    headers: z.record(z.string(), z.strictObject({ $ref: z.string() })).optional(),
  }),
]);
const operation = z.strictObject({
  operationId: z.string().regex(/^[a-z]+([A-Z][a-z]+)*$/),
  summary: z.string().min(1),
  description: z.string().optional(),
  'x-role': z.string(),
  security: z.array(z.never()).optional(),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean().optional(),
        description: z.string().optional(),
        schema,
      }),
    )
    .optional(),
  requestBody: z.strictObject({ required: z.literal(true), content }).optional(),
  responses: z.record(z.string().regex(/^([2345]\d\d|4XX|default)$/), response),
});
// The parts of OpenAPI 3.1 that are used, with nothing besides.
const document = z.strictObject({
  openapi: z.literal('3.1.0'),
  jsonSchemaDialect: z.url(),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.literal('/api/v1') })),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  paths: z.record(z.string().startsWith('/'), z.partialRecord(z.enum(['get', 'post', 'put']), operation)),
  components: z.strictObject({
    schemas: z.record(z.string(), schema),
    responses: z.record(z.string(), response),
    headers: z.record(z.string(), z.strictObject({ description: z.string(), schema })),
    securitySchemes: z.record(z.string(), schema),
  }),
});

describe('the OpenAPI document', () => {
  const parsed = document.parse(json);

  it('describes every route that is served, by method, with its parameters, and no other', () => {
    const described = Object.entries(parsed.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [] }]) => ({
        route: `${method.toUpperCase()} ${path}`,
        path: parameters.filter((one) => one.in === 'path').map((one) => `${one.name} ${one.required}`),
      })),
    );
    const served = routes.map(({ method, path }) => ({
      route: `${method} ${path}`,
      path: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `${name} true`),
    }));
    expect(described.sort((a, b) => (a.route < b.route ? -1 : 1))).toEqual(
      served.sort((a, b) => (a.route < b.route ? -1 : 1)),
    );
    const ids = Object.values(parsed.paths).flatMap((methods) => Object.values(methods).map((one) => one.operationId));
    expect(new Set(ids).size).toBe(routes.length);
  });

  it('refers to nothing that is not there, and repeats no definition', () => {
    const refs = [...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, ref]) => ref);
    expect(refs.length).toBeGreaterThan(20);
    const known = Object.entries(parsed.components).flatMap(([kind, all]) =>
      Object.keys(all).map((name) => `#/components/${kind}/${name}`),
    );
    expect(refs.filter((ref) => !known.includes(ref ?? ''))).toEqual([]);
    expect(text).not.toContain('$defs');
  });

  it('says that a body with an unknown field is refused', () => {
    for (const [path, methods] of Object.entries(parsed.paths)) {
      for (const one of Object.values(methods)) {
        const body = one.requestBody?.content['application/json']?.schema;
        if (body !== undefined && path !== '/alerts')
          expect(body, path).toMatchObject({ type: 'object', additionalProperties: false });
      }
    }
  });

  it('is the file docs/openapi.json (npm run describe writes it)', () => {
    expect(readFileSync(documentPath, 'utf8')).toBe(text);
  });
});

describe('docs/api.md', () => {
  it('lists every route with its role and what it does', () => {
    const rows = [...page.matchAll(/^\| `((?:GET|POST|PUT) [^`]+)` \| (\w+) \| (.+) \|$/gm)].map(
      ([, ...cells]) => cells,
    );
    expect(rows).toEqual(routes.map(({ method, path, needs, summary }) => [`${method} ${path}`, needs, summary]));
  });

  it('lists every problem with its status, its meaning and what to do', () => {
    const rows = [...page.matchAll(/^\| <a id="([\w-]+)"><\/a>`([\w-]+)` \| (\d+) \| (.+?) \| (.+) \|$/gm)].map(
      ([, ...cells]) => cells,
    );
    expect(rows).toEqual(
      Object.entries(problemKinds).map(([code, { status, title, hint }]) => [code, code, String(status), title, hint]),
    );
  });
});

describe('the consumer client', () => {
  it('acknowledges at a route that there is', () => {
    const path = acknowledgementPath({ vault: 'local', secret: 'orders-db', version: '0'.repeat(32) });
    expect(path).toMatch(/^\/v1\//);
    expect(findRoute(routes, 'POST', path.replace('/v1', ''))).toMatchObject({
      kind: 'route',
      route: { needs: 'consumer' },
    });
  });
});
