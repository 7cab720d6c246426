/** Http functions: which one a request is for, whether it may, and what goes in and out. */
import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { FunctionKeys } from '../messages.ts';
import { levelOf, permits } from './authorize.ts';
import type { RegisteredFunction } from './core-module.ts';
import type { TypedData } from './core-types.ts';
import { type Answer, functionAnswer, readBody } from './http-answer.ts';
import { streamHttp } from './http-stream.ts';
import { type Invoker, triggerBinding } from './invoke.ts';
import { findRoute, parseRoute, type Route } from './routes.ts';
import { isDisabled, resolveSettings, type Settings } from './settings.ts';

const bindingSchema = z.object({
  route: z.string().optional(),
  methods: z.array(z.string()).min(1),
  authLevel: z.enum(['anonymous', 'function', 'admin']),
});

export interface HttpFunction {
  readonly name: string;
  readonly template: string;
  readonly authLevel: 'anonymous' | 'function' | 'admin';
  readonly disabled: boolean;
}

export type HttpRoutes = readonly Route<HttpFunction>[];

/** Throws, naming the function, for a binding or a route the host refuses. */
export function httpRoute(
  registered: RegisteredFunction,
  routePrefix: string,
  settings: Settings,
): Route<HttpFunction> {
  const { name } = registered.metadata;
  const parsed = bindingSchema.safeParse(triggerBinding(registered).binding);
  if (!parsed.success) throw new Error(`The '${name}' function is in error: ${z.prettifyError(parsed.error)}`);
  const own = resolveSettings(parsed.data.route ?? name, settings).replace(/^\/+/, '');
  const template = [routePrefix, own].filter((part) => part !== '').join('/');
  // The host keeps these paths for itself.
  if (/^(?:admin|runtime)(?:\/|$)/i.test(template)) {
    throw new Error(`The '${name}' function is in error: the route "${template}" conflicts with the host's own paths.`);
  }
  const disabled = isDisabled(name, settings);
  const target = { name, template, authLevel: parsed.data.authLevel, disabled };
  return parseRoute(template, parsed.data.methods, target);
}

/** What of an app its requests need. */
export interface HttpApp {
  readonly routes: HttpRoutes;
  readonly streaming: string | undefined;
  readonly invoker: Invoker;
}

/** Answers a request to a function. 404 when none is meant, and before any key is looked at. */
export async function answerHttp(
  request: IncomingMessage,
  url: URL,
  { routes, streaming, invoker }: HttpApp,
  keys: FunctionKeys,
): Promise<Answer> {
  const match = findRoute(routes, request.method ?? 'GET', url.pathname);
  if (match === undefined) return { status: 404 };
  const level = levelOf(request, url.searchParams, keys, match.target.name);
  if (match.target.disabled && level !== 'admin') return { status: 404 };
  if (!permits(level, match.target.authLevel)) return { status: 401 };
  if (streaming !== undefined) {
    const metadata = metadataOf(request, url, match.params);
    return streamHttp(request, url, { address: streaming, functionName: match.target.name, metadata }, invoker);
  }
  const outcome = await invoker.run(match.target.name, {
    data: await httpData(request, url, match.params),
    reason: 'This function was programmatically called via the host APIs.',
  });
  return outcome.kind === 'failed' ? { status: 500 } : functionAnswer(outcome.returnValue);
}

async function httpData(
  request: IncomingMessage,
  url: URL,
  params: Readonly<Record<string, string>>,
): Promise<TypedData> {
  // Without a length the body stays behind: seen at the real host, with the worker of Node.js.
  const sent = await readBody(request);
  const body = Number(request.headers['content-length'] ?? 0) > 0 ? sent : Buffer.alloc(0);
  return {
    http: {
      method: request.method ?? 'GET',
      url: url.href,
      headers: headersOf(request),
      query: joined([...url.searchParams]),
      params,
      ...(body.length === 0 ? {} : { body: { bytes: body } }),
    },
  };
}

/** What a streaming function is told besides the request itself. */
function metadataOf(
  request: IncomingMessage,
  url: URL,
  params: Readonly<Record<string, string>>,
): Readonly<Record<string, TypedData>> {
  return {
    ...Object.fromEntries(Object.entries(params).map(([name, value]) => [name, { string: value }])),
    Headers: { json: JSON.stringify(headersOf(request)) },
    Query: { json: JSON.stringify(joined([...url.searchParams])) },
  };
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return joined(
    Object.entries(request.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    ),
  );
}

// The host hands a name that came several times over as one value with commas.
function joined(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of pairs) values[name] = Object.hasOwn(values, name) ? `${values[name]},${value}` : value;
  return values;
}
