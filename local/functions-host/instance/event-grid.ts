/**
 * The Event Grid extension's webhook.
 * Source: HttpRequestProcessor and EventGridExtensionConfigProvider of Microsoft.Azure.WebJobs.Extensions.EventGrid.
 */
import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import { type Answer, readBody, text } from './http-answer.ts';
import type { Invoker, Trigger } from './invoke.ts';

export interface EventGridFunction {
  readonly name: string;
  /** Gets the whole batch in one invocation (`cardinality: 'many'`). */
  readonly takesBatches: boolean;
}

const origins = [
  'eventgrid.azure.net',
  'eventgrid.azure.us',
  'eventgrid.azure.eaglex.ic.gov',
  'eventgrid.azure.microsoft.scloud',
  'eventgrid.azure.cn',
] as const;

const validationSchema = z.union([
  z.tuple([z.object({ data: z.object({ validationCode: z.coerce.string() }) })], z.unknown()),
  // In the CloudEvents form of the handshake the data is JSON inside a string.
  z.object({ data: z.string() }),
]);
const codeSchema = z.object({ validationCode: z.coerce.string() });

/** Answers a call that has passed the system key. Throws on a body that is no JSON, which the host turns into a 500. */
export async function answerEventGrid(
  request: IncomingMessage,
  query: URLSearchParams,
  functions: ReadonlyMap<string, EventGridFunction>,
  invoker: Invoker,
): Promise<Answer> {
  const name = query.get('functionName') ?? '';
  const target = functions.get(name);
  if (target === undefined) return text(404, `cannot find function: '${name}'`);
  if (request.method === 'OPTIONS') {
    return {
      status: 200,
      headers: { 'webhook-allowed-origin': allowedOrigin(request.headers['webhook-request-origin']) },
    };
  }
  const header = request.headers['aeg-event-type'];
  switch (String(header ?? '').toLowerCase()) {
    case 'subscriptionvalidation':
      return text(200, JSON.stringify({ validationResponse: validationCode(await readJson(request)) }));
    case 'notification':
      return notify(target, await readJson(request), invoker);
    case 'unsubscribe':
      return { status: 202 };
    default:
      return { status: 400 };
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  return JSON.parse((await readBody(request)).toString('utf8'));
}

function allowedOrigin(asked: string | string[] | undefined): string {
  return origins.find((origin) => origin === asked) ?? origins[0];
}

function validationCode(body: unknown): string {
  const parsed = validationSchema.parse(body);
  if (Array.isArray(parsed)) return parsed[0].data.validationCode;
  return codeSchema.parse(JSON.parse(parsed.data)).validationCode;
}

// All events of a delivery run at once, and one failure fails them all: Event Grid sends the whole delivery again.
async function notify(target: EventGridFunction, body: unknown, invoker: Invoker): Promise<Answer> {
  if (typeof body !== 'object' || body === null) {
    throw new Error('The request content should be parseable into a JSON object or array.');
  }
  const events: unknown[] = Array.isArray(body) ? body : [body];
  const triggers = target.takesBatches ? [eventTrigger(events)] : events.map(eventTrigger);
  const outcomes = await Promise.all(triggers.map((trigger) => invoker.run(target.name, trigger)));
  const failed = outcomes.some((outcome) => outcome.kind === 'failed');
  return failed ? text(500, `Exception while executing function: Functions.${target.name}`) : { status: 202 };
}

export function eventTrigger(event: unknown): Trigger {
  return {
    data: { json: JSON.stringify(event) },
    metadata: dataOf(event),
    reason: 'EventGrid trigger fired',
  };
}

function dataOf(event: unknown): Trigger['metadata'] & object {
  if (typeof event !== 'object' || event === null || !('data' in event) || event.data === undefined) return {};
  return { data: { json: JSON.stringify(event.data) } };
}
