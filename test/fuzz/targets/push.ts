/** Receivers of news in an application. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { eventGridReceiver } from '../../../consumer/push/event-grid.ts';
import { webhookReceiver } from '../../../consumer/push/webhook.ts';
import { hostile, spoiled } from '../inputs.ts';
import { canary, holdsNoSecret, must, target } from '../target.ts';

const signing = Buffer.from(`${canary} and some more bytes`);
const nowSeconds = 1_767_225_600;
const secrets = [{ notify: async () => ({ kind: 'ignored' as const }) }];
const key = `${canary}${canary}`;
const webhooks = webhookReceiver({
  secrets,
  signingSecret: `whsec_${signing.toString('base64')}`,
  now: () => nowSeconds * 1_000,
});
const eventGrid = eventGridReceiver({ secrets, key });

const data = { vault: 'contoso-kv', secret: 'orders-db', version: 'a'.repeat(32), rotationId: 'b'.repeat(32) };
const cloud = { specversion: '1.0', id: '1', source: '/s', type: 'Keyturn.SecretRotated', data };

const bodies = spoiled(
  cloud,
  [cloud, { ...cloud, type: 'x' }],
  [{ eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data: { validationCode: 'code' } }],
);

const inputs = fc.record({
  to: fc.constantFrom('webhook', 'event-grid'),
  method: fc.constantFrom('POST', 'POST', 'POST', 'OPTIONS', 'GET'),
  body: fc.oneof({ weight: 6, arbitrary: bodies.map((one) => JSON.stringify(one)) }, hostile),
  id: hostile,
  timestamp: fc.oneof({ weight: 6, arbitrary: fc.constant(String(nowSeconds)) }, hostile),
  signed: fc.boolean(),
  noise: hostile,
  origin: fc.oneof(fc.constant('eventgrid.azure.net'), hostile),
});

type Input = typeof inputs extends fc.Arbitrary<infer T> ? T : never;

function headersOf({ body, id, timestamp, signed, noise, origin }: Input): Record<string, string | string[]> {
  const signature = createHmac('sha256', signing).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'Webhook-Timestamp': timestamp,
    'webhook-signature': signed ? `v1,${noise} v1,${signature}` : noise,
    'webhook-request-origin': origin,
    [signed ? 'x-consumer-key' : 'x-other']: [key],
    ...(noise === '' ? {} : { 'x-noise': noise }),
  };
}

const statuses = new Set([200, 204, 400, 401, 403, 405, 413, 503]);

export const push = target('push', 5, inputs, async (input) => {
  const receiver = input.to === 'webhook' ? webhooks : eventGrid;
  const answer = await receiver.handle({ method: input.method, headers: headersOf(input), body: input.body });
  must(statuses.has(answer.status), `a receiver answers with one of its statuses, and not ${answer.status}`);
  must(input.signed || answer.status === 401 || answer.status === 405, 'what carries no proof is refused');
  must(answer.body.length < 4_096, 'an answer is bounded');
  holdsNoSecret('the answer', answer);
});
