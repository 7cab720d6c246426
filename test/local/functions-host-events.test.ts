import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import type { FunctionsHost } from '../../local/functions-host/index.ts';
import { logged, saying, startFixture } from './functions-app.ts';

let azurite: Azurite;
let host: FunctionsHost;

beforeAll(async () => {
  azurite = await startAzurite();
  host = await startFixture(azurite.connectionString);
});
afterAll(async () => {
  await host?.close();
  await azurite?.close();
});

const post = (type: string, body: unknown, url = host.eventGridUrl('onEvent')) =>
  fetch(url, {
    method: 'POST',
    headers: { 'aeg-event-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

test('the webhook wants the system key or the master key', async () => {
  const path = `${host.url}/runtime/webhooks/EventGrid?functionName=onEvent`;
  for (const [key, status] of [
    ['', 401],
    ['wrong', 401],
    [host.keys.host, 401],
    [host.keys.system, 202],
    [host.keys.master, 202],
  ] as const) {
    expect((await post('Unsubscribe', '', `${path}&code=${key}`)).status).toBe(status);
  }
});

test('an unknown function is 404, another event type 400, an unknown extension 404', async () => {
  expect((await post('Notification', [], host.eventGridUrl('absent'))).status).toBe(404);
  expect((await post('Notification', [], host.eventGridUrl('echo'))).status).toBe(404);
  expect((await post('SomethingElse', [])).status).toBe(400);
  expect((await fetch(host.eventGridUrl('onEvent'), { method: 'POST' })).status).toBe(400);
  expect((await fetch(`${host.url}/runtime/webhooks/blobs?code=${host.keys.system}`)).status).toBe(404);
});

test('the validation handshake gives the code back, in both forms', async () => {
  const listed = await post('SubscriptionValidation', [{ data: { validationCode: 'abc' } }]);
  expect([listed.status, await listed.json()]).toEqual([200, { validationResponse: 'abc' }]);
  const single = await post('SubscriptionValidation', { data: JSON.stringify({ validationCode: 'def' }) });
  expect([single.status, await single.json()]).toEqual([200, { validationResponse: 'def' }]);
  expect((await post('SubscriptionValidation', [])).status).toBe(500);
});

test.each([
  ['eventgrid.azure.us', 'eventgrid.azure.us'],
  ['elsewhere.example', 'eventgrid.azure.net'],
])('the CloudEvents handshake of %s allows %s', async (origin, allowed) => {
  const answer = await fetch(host.eventGridUrl('onEvent'), {
    method: 'OPTIONS',
    headers: { 'webhook-request-origin': origin },
  });
  expect([answer.status, answer.headers.get('webhook-allowed-origin')]).toEqual([200, allowed]);
});

test('each event of a batch is one invocation, and a CloudEvent arrives as it was sent', async () => {
  expect((await post('Notification', [{ id: 'e1' }, { id: 'e2' }])).status).toBe(202);
  expect((await post('Notification', { specversion: '1.0', id: 'e3', data: { n: 1 } })).status).toBe(202);
  await logged(host, saying('{"event":{"id":"e1"}}'));
  await logged(host, saying('{"event":{"id":"e2"}}'));
  await logged(host, saying('{"event":{"specversion":"1.0","id":"e3","data":{"n":1}}}'));
});

test('one failing event fails the whole delivery with 500, after the others have run', async () => {
  const answer = await post('Notification', [{ id: 'e4', say: 'make it fail' }, { id: 'e5' }]);
  expect(answer.status).toBe(500);
  expect(await answer.text()).toBe('Exception while executing function: Functions.onEvent');
  await logged(host, saying('{"event":{"id":"e5"}}'));
});

test('a body that is no JSON is a 500', async () => {
  expect((await post('Notification', '{"id":')).status).toBe(500);
  expect((await post('Notification', '"text"')).status).toBe(500);
});
