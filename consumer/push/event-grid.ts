/**
 * Event Grid's delivery to a webhook. CloudEvents and their handshake:
 * https://learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema, and the older one of its own schema:
 * https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import * as z from 'zod/mini';
import { ConsumerError } from '../errors.ts';
import type { SecretText } from '../secret-text.ts';
import type { NewsReader } from './news-reader.ts';
import { answer, bytesOf, header, jsonOf, largestBody, type PushAnswer, type PushRequest } from './request.ts';
import { deliver } from './rotation-event.ts';
import type { PushReceiver } from './webhook.ts';

export interface EventGridOptions {
  /** Who is told. */
  readonly secrets: Iterable<NewsReader>;
  /** What the subscription's address must carry as `?key=…`, or a delivery header as `x-consumer-key`. Give `key` or `authorize`. */
  readonly key?: string | SecretText;
  /** Decides for itself, as by the Entra token that Event Grid can send. It sees handshakes too. Give `key` or `authorize`. */
  readonly authorize?: (request: PushRequest) => boolean | Promise<boolean>;
  /** Who may ask to deliver. Default: Event Grid in the public cloud. */
  readonly origins?: readonly string[];
}

const filled = z.string().check(z.minLength(1));

const cloudEvent = z.object({
  specversion: z.literal('1.0'),
  id: filled,
  source: filled,
  type: filled,
  data: z.unknown(),
});

const validation = z.object({
  eventType: z.literal('Microsoft.EventGrid.SubscriptionValidationEvent'),
  data: z.object({ validationCode: z.string().check(z.minLength(1), z.maxLength(256)) }),
});

/**
 * Takes CloudEvents from Event Grid, one or a batch, and answers both handshakes. Deliveries without the key are refused with 401.
 * Duplicates and disorder do no harm: news of the version at hand is dropped, and the vault alone says what is current. A 503 makes
 * Event Grid deliver again.
 */
export function eventGridReceiver(options: EventGridOptions): PushReceiver {
  const { key, authorize } = options;
  if ((key === undefined) === (authorize === undefined)) {
    throw new ConsumerError('options', 'eventGridReceiver needs either "key" or "authorize", and not both.');
  }
  const plain = typeof key === 'object' ? key.reveal() : key;
  if (plain !== undefined && plain.length < 16) {
    throw new ConsumerError('options', 'The key of eventGridReceiver must have 16 characters or more.');
  }
  const allowed = authorize ?? ((request: PushRequest) => carriesKey(request, plain ?? ''));
  const origins = options.origins ?? ['eventgrid.azure.net'];
  return {
    async handle(request) {
      if (!(await allowed(request))) return answer(401, 'The key is missing or wrong.');
      if (request.method === 'OPTIONS') return abuseProtection(request, origins);
      if (request.method !== undefined && request.method !== 'POST') {
        return answer(405, 'POST it.', { allow: 'POST, OPTIONS' });
      }
      const bytes = bytesOf(request.body);
      if (bytes.length > largestBody) return answer(413, 'The message is too large.');
      return takeEvents(jsonOf(bytes), options.secrets);
    },
  };
}

async function takeEvents(body: unknown, secrets: Iterable<NewsReader>): Promise<PushAnswer> {
  const list: readonly unknown[] = Array.isArray(body) ? body : [body];
  const handshake = validation.safeParse(list[0]);
  if (handshake.success) {
    const text = JSON.stringify({ validationResponse: handshake.data.data.validationCode });
    return answer(200, text, { 'content-type': 'application/json' });
  }
  const events = z.array(cloudEvent).check(z.minLength(1)).safeParse(list);
  if (!events.success) return answer(400, 'The body must be CloudEvents 1.0: choose that schema for the subscription.');
  let worst = answer(204);
  for (const event of events.data) {
    const answered = await deliver(event, secrets);
    if (answered.status > worst.status) worst = answered;
  }
  return worst;
}

function abuseProtection(request: PushRequest, origins: readonly string[]): PushAnswer {
  const origin = header(request, 'webhook-request-origin') ?? '';
  if (!origins.some((one) => one.toLowerCase() === origin.toLowerCase())) {
    return answer(403, 'This origin may not deliver here.');
  }
  return answer(200, '', { 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*' });
}

// Hashed first, so that the comparison takes the same time for every length.
function carriesKey(request: PushRequest, key: string): boolean {
  const query = URL.parse(request.url ?? '', 'http://consumer.invalid')?.searchParams.get('key');
  const given = header(request, 'x-consumer-key') ?? query ?? '';
  const [a, b] = [given, key].map((one) => createHash('sha256').update(one).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
