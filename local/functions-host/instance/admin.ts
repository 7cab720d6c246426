/** The host's administration API, as far as it is offered: status, ping, the list of functions, and running one. */
import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import * as z from 'zod';
import type { FunctionKeys } from '../messages.ts';
import type { App } from './app.ts';
import { levelOf, permits } from './authorize.ts';
import type { RegisteredFunction } from './core-module.ts';
import { eventTrigger } from './event-grid.ts';
import { type Answer, json, readBody } from './http-answer.ts';
import { type Trigger, triggerBinding } from './invoke.ts';
import { timerTrigger } from './timer.ts';

const invocationSchema = z.object({ input: z.string().nullish() });

/** Every path but the ping wants the master key. */
export async function answerAdmin(request: IncomingMessage, url: URL, app: App, keys: FunctionKeys): Promise<Answer> {
  const path = url.pathname.toLowerCase().replace(/\/$/, '');
  const method = request.method ?? 'GET';
  if (path === '/admin/host/ping' && (method === 'GET' || method === 'POST')) return { status: 200 };
  const named = /^\/admin\/functions\/([^/]+)$/.exec(path)?.[1];
  const known = path === '/admin/host/status' || path === '/admin/functions' ? method === 'GET' : named !== undefined;
  if (!known || !['GET', 'POST'].includes(method)) return { status: 404 };
  if (!permits(levelOf(request, url.searchParams, keys), 'admin')) return { status: 401 };
  if (path === '/admin/host/status') return json(200, status(app));
  if (named === undefined)
    return json(
      200,
      [...app.registry.functions.values()].map((one) => describe(one, app)),
    );
  const registered = findFunction(app, decodeURIComponent(named));
  if (registered === undefined) return { status: 404 };
  return method === 'GET' ? json(200, describe(registered, app)) : start(registered, request, app);
}

function status(app: App) {
  return {
    id: app.hostId,
    state: 'Running',
    version: '4.1042.100.0',
    versionDetails: '4.1042.100',
    platformVersion: '',
    instanceId: String(app.instance),
    computerName: hostname(),
    processUptime: Math.round(process.uptime() * 1000),
    functionAppContentEditingState: 'NotAllowed',
    ...(app.hostJson.extensionBundle === undefined ? {} : { extensionBundle: app.hostJson.extensionBundle }),
  };
}

function findFunction(app: App, name: string): RegisteredFunction | undefined {
  return [...app.registry.functions.values()].find(
    ({ metadata }) => metadata.name.toLowerCase() === name.toLowerCase(),
  );
}

function describe({ metadata }: RegisteredFunction, app: App) {
  const route = app.routes.find(({ target }) => target.name === metadata.name);
  return {
    name: metadata.name,
    script_root_path_href: null,
    config: {
      name: metadata.name,
      bindings: Object.entries(metadata.bindings).map(([name, rest]) => ({ ...rest, name })),
    },
    language: 'node',
    isDisabled: app.isDisabled(metadata.name),
    ...(route === undefined ? {} : { invoke_url_template: `/${route.target.template}` }),
  };
}

// 202 says that it was started, not that it went well; the log has the rest.
async function start(registered: RegisteredFunction, request: IncomingMessage, app: App): Promise<Answer> {
  const parsed = invocationSchema.safeParse(parseJson((await readBody(request)).toString('utf8')));
  if (!parsed.success) return { status: 400 };
  const { name } = registered.metadata;
  app.invoker
    .run(name, directTrigger(registered, parsed.data.input ?? ''))
    .catch((error: unknown) =>
      app.log({ level: 'error', category: 'system', message: String(error), functionName: name }),
    );
  return { status: 202 };
}

function directTrigger(registered: RegisteredFunction, input: string): Trigger {
  const reason = 'This function was programmatically called via the host APIs.';
  switch (triggerBinding(registered).type.toLowerCase()) {
    case 'timertrigger':
      return { ...timerTrigger(undefined, false, false), reason };
    case 'eventgridtrigger':
      return { ...eventTrigger(parseJson(input) ?? {}), reason };
    case 'httptrigger':
      return { data: { http: { method: 'POST', url: 'http://localhost/', body: { string: input } } }, reason };
    default:
      return { data: { string: input }, reason };
  }
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
