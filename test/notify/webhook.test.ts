/** What is particular to signed webhooks. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startWebhookReceiver, type WebhookReceiver } from '../../local/receivers/webhook.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { readSigningKey, signedHeaders } from '../../shared/notify/signature.ts';
import { findSecrets } from '../canary.ts';
import { hourMs, NotifyWorld, rotatedNotice, vaultName } from './world.ts';

const signingSecret = (text: string) => `whsec_${Buffer.from(text.padEnd(32, '.')).toString('base64')}`;
const first = signingSecret('canary-first');
const second = signingSecret('canary-second');

let receiver: WebhookReceiver;
let world: NotifyWorld;

function worldWith(value: string, more: Readonly<Record<string, unknown>> = {}): NotifyWorld {
  return new NotifyWorld({
    channels: { shop: { kind: 'webhook', url: `${receiver.url}/hook`, signingSecret: 'hook-signing', ...more } },
    secrets: { 'hook-signing': value },
  });
}

beforeEach(async () => {
  receiver = await startWebhookReceiver(first, () => new Date(world.nowMs));
  world = worldWith(first);
});
afterEach(async () => {
  await receiver.close();
  const seen = { logs: world.logs, messages: world.messages, rows: world.rows, bodies: receiver.bodies };
  expect(findSecrets(seen, [first, second, first.slice(6), second.slice(6)])).toEqual([]);
});

test('the library of Standard Webhooks accepts what is signed here, by the clock of the machine', () => {
  const key = readSigningKey(new SecretText(first));
  if (key.kind === 'unusable') throw new Error(key.detail);
  const body = '{"type":"Keyturn.SecretRotated","data":{"login":"größe"}}';
  const headers = signedHeaders('an-id', new Date(), body, [Buffer.from('another key, which is not known'), key.bytes]);
  expect(new Webhook(first).verify(body, { ...headers })).toEqual(JSON.parse(body));
  expect(() => new Webhook(second).verify(body, { ...headers })).toThrow('No matching signature');
  expect(() => new Webhook(first).verify(`${body} `, { ...headers })).toThrow('No matching signature');
});

// Worked out here from the specification's text, "id.timestamp.body" under HMAC-SHA256, so that it is not the library judging itself.
test('a signature is that of the specification, for any body', () => {
  const key = Buffer.from('a signing key of thirty-two byte');
  const at = new Date('2021-02-25T16:35:30.900Z');
  for (const body of ['', '{"test": 2432232314}', '{"login":"größe 😀"}']) {
    const digest = createHmac('sha256', key).update(`msg_1.1614270930.${body}`).digest('base64');
    expect(signedHeaders('msg_1', at, body, [key])).toEqual({
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1614270930',
      'webhook-signature': `v1,${digest}`,
    });
  }
});

test('the body names the secret and the version, and holds nothing that is there for Keyturn itself', async () => {
  world.tell(rotatedNotice({ channels: ['shop'], consumers: ['billing'] }));
  await world.run();
  const { id: _id, type: _type, ...data } = rotatedNotice({ consumers: ['billing'] });
  expect(receiver.received).toEqual([
    { id: rotatedNotice().rotationId, type: 'Keyturn.SecretRotated', data, signatures: 1 },
  ]);
  expect(data).toMatchObject({ vault: vaultName, secret: 'orders-db', version: 'a'.repeat(32) });
});

test('while the signing secret rotates, both signatures are sent: a receiver that knows either is content', async () => {
  world = worldWith(JSON.stringify({ current: second, previous: first }));
  world.tell(rotatedNotice());
  await world.run();
  receiver.secret = second;
  world.tell(rotatedNotice({ id: 'another' }));
  await world.run();
  expect(receiver.received).toMatchObject([{ signatures: 2 }, { signatures: 2 }]);
  expect(receiver.refused).toEqual([]);
});

test('when the overlap is over, only the new key signs', async () => {
  world = worldWith(JSON.stringify({ current: second, previous: '' }));
  receiver.secret = second;
  world.tell(rotatedNotice());
  await world.run();
  expect(receiver.received).toMatchObject([{ signatures: 1 }]);
});

test('a receiver that has the new key at once is told with it at the next attempt', async () => {
  world.tell(rotatedNotice());
  await world.run();
  world.putSecret('hook-signing', second);
  receiver.secret = second;
  world.tell(rotatedNotice({ id: 'after the change' }));
  await world.run();
  expect(receiver.refused).toEqual(['no matching signature']);
  expect(receiver.received.map((one) => one.id)).toEqual([rotatedNotice().id, 'after the change']);
});

test('410 switches the channel off, and a setting that has changed switches it on', async () => {
  receiver.fail({ when: 'before', how: { status: 410 } });
  world.tell(rotatedNotice());
  await world.run();
  world.tell(rotatedNotice({ id: 'later' }));
  await world.run();
  expect(receiver.requests).toHaveLength(1);
  expect([...world.rows.values()].map((row) => row.state)).toEqual(['switched-off', 'switched-off']);
  expect([...world.switches.values()]).toMatchObject([
    { channel: 'shop', reason: expect.stringContaining('HTTP 410') },
  ]);
  expect(world.messages).toEqual([]);
  expect(world.logs.filter((line) => line.includes('"channel-gone"'))).toHaveLength(1);
  const changed = worldWith(first, { types: ['rotated'] });
  for (const [name, off] of world.switches) changed.switches.set(name, off);
  world = changed;
  world.tell(rotatedNotice({ id: 'with another setting' }));
  await world.run();
  expect(receiver.received.map((one) => one.id)).toEqual(['with another setting']);
});

test('410 switches off nobody else', async () => {
  const other = await startWebhookReceiver(first, () => new Date(world.nowMs));
  try {
    world = new NotifyWorld({
      channels: {
        gone: { kind: 'webhook', url: receiver.url, signingSecret: 'hook-signing' },
        here: { kind: 'webhook', url: other.url, signingSecret: 'hook-signing' },
      },
      secrets: { 'hook-signing': first },
    });
    receiver.fail({ when: 'before', how: { status: 410 } });
    world.tell(rotatedNotice());
    await world.run();
    expect(other.received).toHaveLength(1);
    expect(world.states()).toEqual({ gone: 'switched-off', here: 'delivered' });
  } finally {
    await other.close();
  }
});

test('a receiver that is down holds up nobody else, and is not paid for by repeats', async () => {
  const other = await startWebhookReceiver(first, () => new Date(world.nowMs));
  try {
    world = new NotifyWorld({
      channels: {
        down: { kind: 'webhook', url: receiver.url, signingSecret: 'hook-signing' },
        up: { kind: 'webhook', url: other.url, signingSecret: 'hook-signing' },
      },
      secrets: { 'hook-signing': first },
    });
    receiver.fail({ when: 'before', how: 'cut', times: Number.POSITIVE_INFINITY });
    world.tell(rotatedNotice());
    await world.run(3 * hourMs);
    expect(other.received).toHaveLength(1);
    expect(other.duplicates).toEqual([]);
    expect(world.states()).toEqual({ down: 'waiting', up: 'delivered' });
  } finally {
    await other.close();
  }
});

test.each([
  ['not base64', 'whsec_not base64!', 'is not "whsec_" and base64'],
  ['too short', 'whsec_c2hvcnQ=', 'holds 5 bytes'],
  ['JSON without current', '{"password": "x"}', 'without a field "current"'],
])('a signing secret that is %s is named, and nothing is sent', async (_what, value, detail) => {
  world = worldWith(value);
  world.tell(rotatedNotice());
  await world.run(1_000);
  expect(receiver.requests).toEqual([]);
  expect([...world.rows.values()]).toMatchObject([{ state: 'waiting', detail: expect.stringContaining(detail) }]);
  expect(world.logs.join()).toContain('hook-signing');
});

test('an address from the vault that leads to another host than the settings say gets nothing', async () => {
  const { url: _url, ...rest } = { kind: 'webhook', url: '', signingSecret: 'hook-signing' };
  world = new NotifyWorld({
    channels: { shop: { ...rest, urlSecret: 'hook-url', host: 'hooks.contoso.com' } },
    secrets: { 'hook-signing': first, 'hook-url': `${receiver.url}/hook` },
  });
  world.tell(rotatedNotice());
  await world.run(1_000);
  expect(receiver.requests).toEqual([]);
  expect(world.logs.join()).toContain('does not lead to hooks.contoso.com');
});

test('an answer that drips for ever counts by its status, once the time for an attempt is over', async () => {
  const timers = new Set<NodeJS.Timeout>();
  const server = createServer((_request, response) => {
    response.writeHead(200);
    timers.add(setInterval(() => response.write('x'), 20));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  try {
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    world = worldWith(first, { url: `http://127.0.0.1:${port}/` });
    world.attemptMs = 300;
    world.tell(rotatedNotice());
    await world.run();
    expect(world.states()).toEqual({ shop: 'delivered' });
  } finally {
    for (const timer of timers) clearInterval(timer);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
