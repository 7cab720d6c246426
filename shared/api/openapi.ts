/** The OpenAPI 3.1 document, made of the same schemas that check requests, so that the two cannot disagree. */
import * as z from 'zod';
import { problemBody, problemKinds } from './problem.ts';
import type { Route } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

/** What zod writes for every whole number, and says nothing. */
const widest: readonly unknown[] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/** Schemas with a name stand among the components once; the places that use them refer to it. */
const inComponents = (json: unknown): Json =>
  z.record(z.string(), z.unknown()).parse(
    JSON.parse(JSON.stringify(json), (key, value: unknown) => {
      if (key === '$ref' && typeof value === 'string') return value.replace('#/$defs/', '#/components/schemas/');
      return ['minimum', 'maximum'].includes(key) && widest.includes(value) ? undefined : value;
    }),
  );

function toSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  // A schema with a name is put among the definitions only where it is part of another.
  const { properties } = jsonOf(z.object({ it: schema }), io);
  return inComponents(z.record(z.string(), z.unknown()).parse(properties)['it']);
}

function jsonOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  return { ...z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' }) };
}

function namedSchemas(routes: readonly Route[]): Json {
  const answers = routes.flatMap((route) => Object.values(route.answers).map((answer) => answer.schema));
  const all = jsonOf(z.object({ it: z.tuple([problemBody, ...answers]) }), 'output');
  const named = z.record(z.string(), z.record(z.string(), z.unknown())).parse(all['$defs']);
  return Object.fromEntries(Object.entries(named).map(([name, { id: _id, ...json }]) => [name, inComponents(json)]));
}

/** `version`: the app's own. Pure. */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operationOf(route);
    paths[route.path] = operations;
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Keyturn API',
      version,
      description: 'Rotates the secrets in Azure Key Vault. No answer holds the value of a secret.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }, { key: [] }],
    paths,
    components: {
      schemas: namedSchemas(routes),
      responses: { Problem: problemResponse() },
      headers: { Location: locationHeader, 'Retry-After': retryAfterHeader },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'A token of the configured Entra tenant with an app role.',
        },
        key: { type: 'apiKey', in: 'header', name: 'x-keyturn-key', description: 'A key of KEYTURN_API_KEYS.' },
      },
    },
  };
}

function operationOf(route: Route): Json {
  const { summary, description, needs, schemas, answers } = route;
  const parameters = [
    ...parametersOf(schemas.params, 'path'),
    ...parametersOf(schemas.query, 'query'),
    ...(route.idempotent === true ? [idempotencyKey] : []),
    ...(route.keyInAddress === true ? [keyInAddress] : []),
  ];
  const responses = Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      {
        description: answer.description,
        ...(status === '202' ? { headers: queuedHeaders } : {}),
        content: { [answer.type ?? 'application/json']: { schema: toSchema(answer.schema, 'output') } },
      },
    ]),
  );
  return {
    operationId: route.id,
    summary,
    ...(description === undefined ? {} : { description }),
    'x-role': needs,
    ...(needs === 'anybody' ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(schemas.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: toSchema(schemas.body, 'input') } } },
        }),
    responses: { ...responses, '4XX': problemReference, default: problemReference },
  };
}

function problemResponse(): Json {
  const codes = Object.entries(problemKinds).map(([code, { status }]) => `${status} ${code}`);
  return {
    description: `A problem (RFC 9457). The API's own: ${codes.join(', ')}; or a failure code of the engine.`,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

const problemReference: Json = { $ref: '#/components/responses/Problem' };

/** Of an answer that says that something is queued, or waits. */
const queuedHeaders: Json = {
  Location: { $ref: '#/components/headers/Location' },
  'Retry-After': { $ref: '#/components/headers/Retry-After' },
};

const locationHeader: Json = {
  description:
    'Where its progress is shown. Absent where several rotations are queued: each has a place of its own in the body.',
  schema: { type: 'string' },
};

const retryAfterHeader: Json = {
  description: 'When to look there, in seconds.',
  schema: { type: 'integer', minimum: 0 },
};

const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same key with the same request asks once, however often it is sent.',
  schema: { type: 'string', pattern: '^[!-~]{1,128}$' },
};

const keyInAddress: Json = {
  name: 'code',
  in: 'query',
  description: 'The key, for a caller that can send no header. Addresses end up in logs: prefer a token.',
  schema: { type: 'string' },
};

function parametersOf(schema: z.ZodType, where: 'path' | 'query'): Json[] {
  const json = inComponents(jsonOf(schema, 'input'));
  const properties = z.record(z.string(), z.record(z.string(), z.unknown())).parse(json['properties'] ?? {});
  const required = z.array(z.string()).parse(json['required'] ?? []);
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: property,
  }));
}
