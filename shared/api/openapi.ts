/** The OpenAPI 3.1 document, made of the same schemas that check requests, so that the two cannot disagree. */
import { z } from 'zod';
import { problemBody, problemKinds } from './problem.ts';
import type { Route } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

const toSchema = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
  });
  return json;
};

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
      title: 'Keyturn',
      version,
      description: 'Rotates the secrets in Azure Key Vault. No answer holds the value of a secret.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }, { key: [] }],
    paths,
    components: {
      schemas: { Problem: toSchema(problemBody, 'output') },
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
        content: { 'application/json': { schema: toSchema(answer.schema, 'output') } },
      },
    ]),
  );
  return {
    operationId: operationIdOf(route),
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
    responses: { ...responses, default: problemResponse(needs === 'anybody') },
  };
}

function problemResponse(open: boolean): Json {
  const codes = Object.entries(problemKinds).map(([code, { status }]) => `${status} ${code}`);
  return {
    description: open
      ? 'A problem.'
      : `A problem (RFC 9457). The API's own: ${codes.join(', ')}; or a failure code of the engine.`,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

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
  const json = toSchema(schema, 'input');
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

/** `get_vaults_vault_secrets_secret`: names of generated clients stay the same while a path does. */
function operationIdOf({ method, path }: Route): string {
  return `${method.toLowerCase()}${path.replaceAll(/[/{}]+/g, '_').replace(/_$/, '')}`;
}
