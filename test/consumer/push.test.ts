import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { eventGridReceiver, SecretText, webhookReceiver } from '../../consumer/index.ts';
import { canary, vaultWith, watched } from './helpers.ts';

const secretOf = (seed: string) => `whsec_${Buffer.from(seed.repeat(32).slice(0, 32)).toString('base64')}`;
const signingSecret = secretOf('s');
const rotated = (version: string, data: object = {}) => ({
  specversion: '1.0',
  id: 'rotation-1',
  source: '/keyturn',
  type: 'Keyturn.SecretRotated',
  time: '2026-01-02T03:04:05Z',
  data: { vault: 'local', secret: 'orders-db', version, rotationId: 'rotation-1', ...data },
});

/** Signs as the library of Standard Webhooks does. */
function signed(body: string, { id = 'msg-1', at = new Date(), secret = signingSecret } = {}) {
  return {
    headers: {
      'Webhook-Id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, at, body),
    },
    body,
  };
}

async function rig() {
  const from = await vaultWith(canary('value'));
  const { secret, problems } = await watched(from);
  const version = await from.publish(canary('next'));
  const before = from.reads();
  return { from, secret, problems, version, read: () => from.reads() - before };
}

describe('webhookReceiver', () => {
  it('a signed message makes the consumer read the new version; the same message again does nothing', async () => {
    const { secret, version, read } = await rig();
    const receiver = webhookReceiver({ secrets: [secret], signingSecret });
    const message = signed(JSON.stringify(rotated(version)));
    expect((await receiver.handle(message)).status).toBe(204);
    expect(secret.current.version).toBe(version);
    expect((await receiver.handle(message)).status).toBe(204);
    expect((await receiver.handle({ ...message, headers: new Headers(message.headers) })).status).toBe(204);
    expect(read()).toBe(1);
  });

  it.each([
    ['signed with another secret', (body: string) => signed(body, { secret: secretOf('x') })],
    ['changed after it was signed', (body: string) => ({ ...signed(body), body: body.replace('local', 'other') })],
    ['given another id', (body: string) => ({ body, headers: { ...signed(body).headers, 'Webhook-Id': 'msg-2' } })],
    ['not signed', (body: string) => ({ body, headers: {} })],
    [
      'signed with an empty signature',
      (body: string) => ({ body, headers: { ...signed(body).headers, 'webhook-signature': 'v1,' } }),
    ],
    ['six minutes old', (body: string) => signed(body, { at: new Date(Date.now() - 360_000) })],
    ['from six minutes ahead', (body: string) => signed(body, { at: new Date(Date.now() + 360_000) })],
    [
      'old, with a fresh time put over it',
      (body: string) => ({
        body,
        headers: {
          ...signed(body, { at: new Date(Date.now() - 360_000) }).headers,
          'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
        },
      }),
    ],
  ])('a message that is %s is refused, and nothing is read', async (_what, forge) => {
    const { secret, version, read } = await rig();
    const receiver = webhookReceiver({ secrets: [secret], signingSecret });
    expect((await receiver.handle(forge(JSON.stringify(rotated(version))))).status).toBe(401);
    expect(read()).toBe(0);
  });

  it('one of several signatures is enough, and so is one of several secrets, also as Keyturn keeps them', async () => {
    const { secret, version } = await rig();
    const body = JSON.stringify(rotated(version));
    const both = signed(body);
    both.headers['webhook-signature'] = `v1,Zm9yZ2Vk v2,x ${both.headers['webhook-signature']}`;
    const value = new SecretText(JSON.stringify({ current: secretOf('n'), previous: signingSecret }));
    const receiver = webhookReceiver({ secrets: [secret], signingSecret: () => value });
    expect((await receiver.handle(both)).status).toBe(204);
    expect((await receiver.handle(signed(body, { secret: secretOf('n'), id: 'msg-3' }))).status).toBe(204);
    expect((await receiver.handle(signed(body, { secret: secretOf('o'), id: 'msg-4' }))).status).toBe(401);
  });

  it('while the vault is away the sender is asked to come again, and its retry is handled', async () => {
    const { from, secret, version } = await rig();
    const receiver = webhookReceiver({ secrets: [secret], signingSecret });
    const message = signed(JSON.stringify(rotated(version)));
    const fault = from.vault.faults.add({ match: { operation: 'get' }, effect: { kind: 'status', status: 503 } });
    const refused = await receiver.handle(message);
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '10']);
    fault.remove();
    await secret.refresh();
    expect((await receiver.handle(message)).status).toBe(204);
    expect(secret.current.version).toBe(version);
  });

  it.each([
    ['another secret', rotated('v', { secret: 'other' }), 204],
    ['another vault', rotated('v', { vault: 'other' }), 204],
    ['another event', { type: 'Keyturn.SecretRetired', data: {} }, 204],
    ['data without a version', { type: 'Keyturn.SecretRotated', data: { vault: 'local', secret: 'orders-db' } }, 400],
    ['no JSON', 'not json', 400],
  ])('a signed message of %s reads nothing', async (_what, content, status) => {
    const { secret, read } = await rig();
    const receiver = webhookReceiver({ secrets: [secret], signingSecret });
    const body = typeof content === 'string' ? content : JSON.stringify(content);
    expect((await receiver.handle(signed(body))).status).toBe(status);
    expect(read()).toBe(0);
  });

  it('a message that is too large, and another method, are refused', async () => {
    const { secret } = await rig();
    const receiver = webhookReceiver({ secrets: [secret], signingSecret });
    expect((await receiver.handle(signed(' '.repeat(1_048_577)))).status).toBe(413);
    expect((await receiver.handle({ ...signed('{}'), method: 'GET' })).status).toBe(405);
  });

  it('a signing secret that cannot be one is refused without being shown', () => {
    expect(() => webhookReceiver({ secrets: [], signingSecret: 'canary secret' })).toThrow(/^(?!.*canary).*whsec_/);
  });
});

const key = 'a-key-of-the-subscription';

describe('eventGridReceiver', () => {
  const url = `/events?key=${key}`;
  const post = (body: unknown, target = url) => ({
    url: target,
    method: 'POST',
    headers: {},
    body: JSON.stringify(body),
  });

  it('both handshakes are answered: OPTIONS of CloudEvents and the validation code of the older schema', async () => {
    const receiver = eventGridReceiver({ secrets: [], key });
    const asked = { url, method: 'OPTIONS', headers: { 'WebHook-Request-Origin': 'eventgrid.azure.net' }, body: '' };
    expect(await receiver.handle(asked)).toMatchObject({
      status: 200,
      headers: { 'webhook-allowed-origin': 'eventgrid.azure.net' },
    });
    expect((await receiver.handle({ ...asked, headers: { 'WebHook-Request-Origin': 'evil.example' } })).status).toBe(
      403,
    );
    const validation = [
      { eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data: { validationCode: 'code-1' } },
    ];
    const answered = await receiver.handle(post(validation));
    expect([answered.status, answered.body]).toEqual([200, '{"validationResponse":"code-1"}']);
  });

  it('a CloudEvent, alone or in a batch, makes the consumer read; duplicates and late news read nothing', async () => {
    const { from, secret, version, read } = await rig();
    const receiver = eventGridReceiver({ secrets: [secret], key: new SecretText(key) });
    expect((await receiver.handle(post(rotated(version)))).status).toBe(204);
    expect(secret.current.version).toBe(version);
    const late = [rotated(version), rotated(from.versions[0] ?? ''), rotated(version)];
    expect((await receiver.handle(post(late))).status).toBe(204);
    expect(read()).toBe(1);
    const next = await from.publish(canary('third'));
    expect((await receiver.handle(post([rotated(version), rotated(next)]))).status).toBe(204);
    expect(secret.current.version).toBe(next);
  });

  it.each([
    ['no key', '/events'],
    ['a wrong key', '/events?key=a-key-of-somebody-else'],
  ])('a delivery or handshake with %s is refused, and nothing is read', async (_what, target) => {
    const { secret, version, read } = await rig();
    const receiver = eventGridReceiver({ secrets: [secret], key });
    expect((await receiver.handle(post(rotated(version), target))).status).toBe(401);
    const asked = {
      url: target,
      method: 'OPTIONS',
      headers: { 'webhook-request-origin': 'eventgrid.azure.net' },
      body: '',
    };
    expect((await receiver.handle(asked)).status).toBe(401);
    expect(read()).toBe(0);
  });

  it('news of versions that do not exist cannot make a consumer hammer the vault', async () => {
    const { from, secret } = await rig();
    await secret.refresh();
    const before = from.reads();
    const receiver = eventGridReceiver({ secrets: [secret], authorize: () => true });
    const answers: number[] = [];
    for (let one = 0; one < 20; one += 1) answers.push((await receiver.handle(post(rotated(`none-${one}`)))).status);
    expect(answers).toEqual([204, ...Array(19).fill(503)]);
    expect(from.reads() - before).toBe(1);
  });

  it.each([
    ['no CloudEvent', [{ id: '1' }]],
    ['an empty batch', []],
    ['no JSON', undefined],
  ])('%s is answered 400, which Event Grid does not repeat', async (_what, content) => {
    const receiver = eventGridReceiver({ secrets: [], key });
    expect(
      (await receiver.handle({ ...post(content), body: content === undefined ? '{' : JSON.stringify(content) })).status,
    ).toBe(400);
  });

  it('a receiver without a key, or with a short one, is refused when it is made', () => {
    expect(() => eventGridReceiver({ secrets: [] })).toThrow('either "key" or "authorize"');
    expect(() => eventGridReceiver({ secrets: [], key: 'short' })).toThrow('16 characters');
  });
});
