/** The calls Event Grid makes to a webhook: the handshake, and a delivery. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { AttemptOutcome } from './retry.ts';
import { type EventSchema, type Payload, toPayload } from './schema.ts';

export interface Endpoint {
  /** May carry a key in its query: never shown, see `shownAddress`. */
  readonly url: string;
  readonly schema: EventSchema;
  /** Name of the subscription, upper-case on the wire. */
  readonly subscription: string;
  /** Longest wait for an answer, in ms. */
  readonly waitMs: number;
}

/** Thrown when an endpoint did not prove that it wants the events. Nothing is delivered to it. */
export class SubscriptionNotValidated extends Error {
  override readonly name = 'SubscriptionNotValidated';
}

const origin = 'eventgrid.azure.net';
const answerSchema = z.object({ validationResponse: z.string() });

/** The handshake of the schema. Sources: "Endpoint validation with Event Grid event schema"; CloudEvents "HTTP 1.1 Web Hooks". */
export async function validate(endpoint: Endpoint, topic: string, signal: AbortSignal): Promise<void> {
  const refuse = (why: string) => {
    throw new SubscriptionNotValidated(
      `The subscription "${endpoint.subscription}" was not made: ${shownAddress(endpoint.url)} ${why}. ` +
        'Check that the address names a function with an Event Grid trigger and carries the system key.',
    );
  };
  const answer = await (endpoint.schema === 'eventgrid'
    ? askForCode(endpoint, topic, signal)
    : askForOrigin(endpoint, signal)
  ).catch((error: unknown) => refuse(`gave no answer (${failureReason(error)})`));
  if (answer !== undefined && answer !== 'accepted') refuse(answer);
}

/** Says what is wrong, or `accepted`. */
async function askForCode(endpoint: Endpoint, topic: string, signal: AbortSignal): Promise<string> {
  const validationCode = randomUUID().toUpperCase();
  const event = {
    id: randomUUID(),
    topic,
    subject: '',
    data: { validationCode },
    eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
    eventTime: new Date().toISOString(),
    metadataVersion: '1',
    dataVersion: '2',
  };
  const headers = eventHeaders(endpoint, 'SubscriptionValidation', 0, '2');
  const answer = await post(endpoint, toPayload([event], 'eventgrid'), headers, signal);
  const text = await answer.text();
  if (answer.status !== 200) return `answered the validation with ${answer.status}, not 200`;
  const echoed = answerSchema.safeParse(parseJson(text));
  return echoed.success && echoed.data.validationResponse === validationCode
    ? 'accepted'
    : 'did not give the validation code back';
}

async function askForOrigin(endpoint: Endpoint, signal: AbortSignal): Promise<string> {
  const answer = await fetch(endpoint.url, {
    method: 'OPTIONS',
    redirect: 'manual',
    headers: { 'webhook-request-origin': origin },
    signal: waiting(endpoint, signal),
  });
  await answer.arrayBuffer();
  if (answer.status !== 200) return `answered the OPTIONS request with ${answer.status}, not 200`;
  const allowed = answer.headers.get('webhook-allowed-origin');
  return allowed === '*' || allowed === origin ? 'accepted' : `does not allow the origin ${origin}`;
}

/** One attempt. Never throws. `deliveryCount` is 0 the first time. */
export async function deliver(
  endpoint: Endpoint,
  payload: Payload,
  deliveryCount: number,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  try {
    const answer = await post(endpoint, payload, eventHeaders(endpoint, 'Notification', deliveryCount, '1'), signal);
    await answer.arrayBuffer();
    return { kind: 'answered', status: answer.status };
  } catch (error) {
    return { kind: 'no-answer', reason: failureReason(error) };
  }
}

function eventHeaders(endpoint: Endpoint, type: string, deliveryCount: number, dataVersion: string) {
  return {
    'aeg-event-type': type,
    'aeg-subscription-name': endpoint.subscription.toUpperCase(),
    'aeg-delivery-count': String(deliveryCount),
    'aeg-data-version': dataVersion,
    'aeg-metadata-version': '1',
  };
}

function post(endpoint: Endpoint, payload: Payload, headers: Record<string, string>, signal: AbortSignal) {
  return fetch(endpoint.url, {
    method: 'POST',
    redirect: 'manual',
    headers: { ...headers, 'content-type': payload.contentType },
    body: payload.body,
    signal: waiting(endpoint, signal),
  });
}

function waiting(endpoint: Endpoint, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(endpoint.waitMs)]);
}

function failureReason(error: unknown): 'timed out' | 'connection failed' {
  return error instanceof Error && error.name === 'TimeoutError' ? 'timed out' : 'connection failed';
}

/** The address without its query, which holds the key. */
export function shownAddress(url: string): string {
  const { origin: host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
