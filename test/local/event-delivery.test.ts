import { afterEach, expect, test } from 'vitest';
import { shuffled } from '../../local/events/disturb.ts';
import { type EventDelivery, type SubscriptionSpec, startEventDelivery } from '../../local/events/index.ts';
import { nextStep } from '../../local/events/retry.ts';
import { agree, startWebhook, type Webhook } from './webhook.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function hook(...given: Parameters<typeof startWebhook>): Promise<Webhook> {
  const webhook = await startWebhook(...given);
  open.push(webhook);
  return webhook;
}

async function deliveryTo(
  webhook: Webhook,
  spec: Partial<SubscriptionSpec> = {},
  more: { disturb?: { duplicates?: number; shuffle?: number }; waitMs?: number; timeScale?: number } = {},
): Promise<EventDelivery> {
  const subscriptions = [{ name: 'keyturn', url: webhook.url, ...spec }];
  const delivery = await startEventDelivery({ subscriptions, timeScale: 1e-4, ...more });
  open.push(delivery);
  return delivery;
}

const event = (id: string, more: object = {}) => ({
  id,
  topic: '/vaults/one',
  subject: 'orders-db',
  eventType: 'Microsoft.KeyVault.SecretNearExpiry',
  eventTime: '2026-01-01T00:00:00Z',
  dataVersion: '1',
  metadataVersion: '1',
  data: { ObjectName: 'orders-db' },
  ...more,
});

const idsOf = (webhook: Webhook) =>
  webhook.notifications().flatMap(({ body }) => [JSON.parse(body)].flat().map((one: { id: string }) => one.id));

test('in the Event Grid schema an event arrives as a list of one, with the headers of the service', async () => {
  const webhook = await hook(() => 202);
  const delivery = await deliveryTo(webhook);
  delivery.publish(event('a'));
  await delivery.idle();
  const [handshake, call] = webhook.calls;
  expect(handshake?.headers).toMatchObject({
    'aeg-event-type': 'SubscriptionValidation',
    'aeg-subscription-name': 'KEYTURN',
  });
  expect(call?.headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'aeg-event-type': 'Notification',
    'aeg-subscription-name': 'KEYTURN',
    'aeg-delivery-count': '0',
    'aeg-data-version': '1',
    'aeg-metadata-version': '1',
  });
  expect(JSON.parse(call?.body ?? '')).toEqual([event('a')]);
});

test('in the CloudEvents schema an event arrives as one object, after a handshake with OPTIONS', async () => {
  const webhook = await hook(() => 200);
  const delivery = await deliveryTo(webhook, { schema: 'cloudevents' });
  delivery.publish(event('a'));
  await delivery.idle();
  expect(webhook.calls.map(({ method }) => method)).toEqual(['OPTIONS', 'POST']);
  expect(webhook.calls[1]?.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
  expect(JSON.parse(webhook.calls[1]?.body ?? '')).toEqual({
    id: 'a',
    source: '/vaults/one',
    specversion: '1.0',
    type: 'Microsoft.KeyVault.SecretNearExpiry',
    subject: 'orders-db',
    time: '2026-01-01T00:00:00Z',
    data: { ObjectName: 'orders-db' },
  });
});

test.each([
  ['eventgrid', () => ({ status: 401 }), 'answered the validation with 401'],
  ['eventgrid', () => ({ status: 200, body: '{}' }), 'did not give the validation code back'],
  [
    'eventgrid',
    () => ({ status: 200, body: '{"validationResponse":"other"}' }),
    'did not give the validation code back',
  ],
  ['eventgrid', (call) => ({ ...agree(call), status: 202 }), 'answered the validation with 202, not 200'],
  ['cloudevents', () => ({ status: 405 }), 'answered the OPTIONS request with 405'],
  ['cloudevents', () => ({ status: 200 }), 'does not allow the origin'],
  ['cloudevents', () => ({ status: 200, origin: 'elsewhere.example' }), 'does not allow the origin'],
] satisfies ['eventgrid' | 'cloudevents', Parameters<typeof startWebhook>[1], string][])(
  'an endpoint that fails its %s handshake (case %#) gets no event, and its key is not named',
  async (schema, handshake, message) => {
    const webhook = await hook(() => 202, handshake);
    const failed = deliveryTo(webhook, { schema });
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.not.toThrow('the-key');
    expect(webhook.notifications()).toEqual([]);
  },
);

test('a subscription gets only the types and subjects it asked for', async () => {
  const webhook = await hook(() => 202);
  const delivery = await deliveryTo(webhook, {
    includedEventTypes: ['microsoft.keyvault.secretnearexpiry'],
    subjectFilter: { beginsWith: 'Orders', endsWith: '-db' },
  });
  delivery.publish(event('wanted'));
  delivery.publish(event('type', { eventType: 'Microsoft.KeyVault.SecretExpired' }));
  delivery.publish(event('start', { subject: 'the-orders-db' }));
  delivery.publish(event('end', { subject: 'orders-key' }));
  await delivery.idle();
  expect(idsOf(webhook)).toEqual(['wanted']);
  expect(delivery.statistics()['keyturn']).toEqual({
    ...{ matched: 1, duplicates: 0, attempts: 1, delivered: 1, deadLettered: 0, pending: 0 },
  });
});

test('an event is tried until it is taken, and counts its deliveries', async () => {
  const webhook = await hook((_, number) => [500, 302, 205, 429, 204][number - 1]);
  const delivery = await deliveryTo(webhook);
  delivery.publish(event('a'));
  await delivery.idle();
  expect(webhook.notifications().map(({ headers }) => headers['aeg-delivery-count'])).toEqual([
    '0',
    '1',
    '2',
    '3',
    '4',
  ]);
  expect(delivery.deadLetters()).toEqual([]);
});

test.each([400, 401, 403, 413])('after %i an event is not tried again but dead-lettered', async (status) => {
  const webhook = await hook(() => status);
  const delivery = await deliveryTo(webhook);
  delivery.publish(event('a'));
  await delivery.idle();
  expect(webhook.notifications()).toHaveLength(1);
  expect(delivery.deadLetters()).toMatchObject([
    { event: { id: 'a' }, subscription: 'keyturn', deliveryAttempts: 1, lastHttpStatusCode: status },
  ]);
});

test('an event that is never taken is dead-lettered after the last attempt', async () => {
  const webhook = await hook(() => 500);
  const delivery = await deliveryTo(webhook, { maxDeliveryAttempts: 3 });
  delivery.publish(event('a'));
  await delivery.idle();
  expect(webhook.notifications()).toHaveLength(3);
  expect(delivery.deadLetters()).toMatchObject([
    { deadLetterReason: 'MaxDeliveryAttemptsExceeded', deliveryAttempts: 3, lastDeliveryOutcome: 'GenericError' },
  ]);
});

test('an event older than its time to live is given up when it would be due again', async () => {
  const webhook = await hook(() => 500);
  const delivery = await deliveryTo(webhook, { eventTimeToLiveMinutes: 1 }, { timeScale: 1e-3 });
  delivery.publish(event('a'));
  await delivery.idle();
  expect(delivery.deadLetters()).toMatchObject([{ deadLetterReason: 'TimeToLiveExceeded' }]);
  expect(webhook.notifications().length).toBeLessThan(5);
});

test('an endpoint that does not answer in time is tried again', async () => {
  const webhook = await hook((_, number) => (number === 1 ? undefined : 202));
  const delivery = await deliveryTo(webhook, {}, { waitMs: 200 });
  delivery.publish(event('a'));
  await delivery.idle();
  expect(webhook.notifications()).toHaveLength(2);
});

test('an endpoint that has gone away is tried again, and its dead letter says so', async () => {
  const webhook = await hook(() => 202);
  const delivery = await deliveryTo(webhook, { maxDeliveryAttempts: 2 });
  await webhook.close();
  delivery.publish(event('a'));
  await delivery.idle();
  expect(delivery.deadLetters()).toMatchObject([{ deliveryAttempts: 2, lastDeliveryOutcome: 'SocketError' }]);
});

test('duplicates on demand carry the same id', async () => {
  const webhook = await hook(() => 202);
  const delivery = await deliveryTo(webhook, {}, { disturb: { duplicates: 2 } });
  delivery.publish(event('a'));
  await delivery.idle();
  expect(idsOf(webhook)).toEqual(['a', 'a', 'a']);
});

test('reordering on demand depends on the seed alone, and loses nothing', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  expect(shuffled(ids, 7)).toEqual(shuffled(ids, 7));
  expect(shuffled(ids, 7)).not.toEqual(ids);
  const webhook = await hook(() => 202);
  const delivery = await deliveryTo(webhook, { maxEventsPerBatch: 6 }, { disturb: { shuffle: 7 } });
  for (const id of ids) delivery.publish(event(id));
  await delivery.idle();
  expect(idsOf(webhook)).toEqual(shuffled(ids, 7));
});

test('events waiting together are batched up to the limit', async () => {
  const webhook = await hook(() => 202);
  const delivery = await deliveryTo(webhook, { maxEventsPerBatch: 4 }, { disturb: { shuffle: 1 } });
  for (let number = 0; number < 10; number++) delivery.publish(event(`n${number}`));
  await delivery.idle();
  expect(webhook.notifications().map(({ body }) => JSON.parse(body).length)).toEqual([4, 4, 2]);
});

test.each([[{ nothing: 'of an event' }], ['a text'], [17], [null], [[]]])(
  'a malformed event is delivered as it is: %j',
  async (malformed) => {
    const webhook = await hook(() => 202);
    const delivery = await deliveryTo(webhook);
    delivery.publish(malformed);
    await delivery.idle();
    expect(JSON.parse(webhook.notifications()[0]?.body ?? '')).toEqual([malformed]);
  },
);

test('the pauses are those of the service', () => {
  const policy = { maxDeliveryAttempts: 30, timeToLiveMs: 86_400_000 };
  const pauses = (status: number) =>
    Array.from({ length: 11 }, (_, index) => {
      const step = nextStep({ kind: 'answered', status }, index + 1, policy);
      return step.kind === 'retry' ? step.afterMs / 1000 : step.kind;
    });
  expect(pauses(500)).toEqual([10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 43_200]);
  expect(pauses(404).slice(0, 5)).toEqual([300, 300, 300, 300, 600]);
  expect(pauses(503).slice(0, 3)).toEqual([30, 30, 60]);
  expect(pauses(408).slice(0, 3)).toEqual([120, 120, 120]);
});

test('a subscription with settings the service would refuse is refused', async () => {
  const webhook = await hook(() => 202);
  await expect(deliveryTo(webhook, { maxDeliveryAttempts: 31 })).rejects.toThrow('"keyturn" is not valid');
  await expect(deliveryTo(webhook, { name: 'no spaces please' })).rejects.toThrow('letters, digits and dashes');
  expect(webhook.calls).toEqual([]);
});
