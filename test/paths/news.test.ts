/** From the event to the receiver: whoever is named hears of a rotation, and of the end of the old credential. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { localApiKeys } from '../../local/api-keys.ts';
import { type ChatReceiver, startSlack } from '../../local/receivers/chat.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../local/receivers/webhook.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { rotationIdOf } from '../../shared/engine/policy/identifiers.ts';
import { connectStorage } from '../../shared/storage/connect.ts';
import { tableDeliveries } from '../../shared/storage/state/deliveries.ts';
import { Records } from '../../shared/storage/state/records.ts';
import { findSecrets } from '../canary.ts';
import { type Stage, startStage } from './stage.ts';

const signingSecret = `whsec_${Buffer.from('canary-signing-secret-of-the-shop').toString('base64')}`;
let shop: WebhookReceiver;
let ops: ChatReceiver;
let stage: Stage;

beforeAll(async () => {
  shop = await startWebhookReceiver(signingSecret);
  ops = await startSlack('canary-address-of-the-ops-channel');
  const channels = {
    shop: { kind: 'webhook', url: `${shop.url}/hook`, signingSecret: 'hook-signing' },
    ops: { kind: 'slack', urlSecret: 'ops-url', host: '127.0.0.1' },
  };
  stage = await startStage({ settings: { KEYTURN_CHANNELS: JSON.stringify(channels), KEYTURN_NOTIFY: 'ops' } });
  stage.vault.put('hook-signing', { value: signingSecret });
  stage.vault.put('ops-url', { value: ops.address });
});
afterAll(async () => {
  await stage.close();
  await Promise.all([shop.close(), ops.close()]);
});

function deliveries() {
  const connection = { kind: 'connection-string', value: new SecretText(stage.storage.connectionString) } as const;
  return tableDeliveries(new Records(connectStorage(connection, { getToken: async () => null })));
}

test('near-expiry: the webhook gets "rotated" once under the rotation id, then "retired" after the overlap', async () => {
  const planted = await stage.plant('told', { tags: { overlap: 'PT3S', notify: 'shop' } });
  const id = rotationIdOf('local', planted.name, planted.version);
  await stage.said('retired', planted.name);
  await stage.until('the second message', () => shop.received.length === 2);
  const { id: version } = stage.newest(planted.name);
  expect(shop.received).toMatchObject([
    {
      ...{ id, type: 'Keyturn.SecretRotated' },
      data: { vault: 'local', secret: planted.name, from: planted.version, version, login: `${planted.login}_alt` },
    },
    { id: `${id}-retired`, type: 'Keyturn.SecretRetired', data: { secret: planted.name, login: planted.login } },
  ]);
  expect([shop.duplicates, shop.refused]).toEqual([[], []]);
  await stage.until('both states', async () => {
    const listed = await deliveries().of(id);
    return listed.kind === 'listed' && listed.deliveries.filter((one) => one.state === 'delivered').length === 2;
  });
  const answer = await fetch(`${stage.azure.host.url}/api/v1/rotations/${id}`, {
    headers: { 'x-keyturn-key': localApiKeys.reader },
  });
  expect(await answer.json()).toMatchObject({
    deliveries: [
      { channel: 'shop', type: 'rotated', state: 'delivered', attempts: 1 },
      { channel: 'shop', type: 'retired', state: 'delivered', attempts: 1 },
    ],
  });
});

test('a receiver that fails at first is told by the queue’s own delay, while others are told at once', async () => {
  shop.fail({ when: 'before', how: { status: 503, headers: { 'retry-after': '1' } } });
  const before = shop.received.length;
  const planted = await stage.plant('told-later', { tags: { overlap: 'P1D', notify: 'shop,ops' } });
  await stage.until('the message to people', () => ops.received.some((text) => text.includes(planted.name)));
  expect(shop.received).toHaveLength(before);
  expect((await stage.said('notice-delayed', planted.name))[0]).toMatchObject({ channel: 'shop', attempts: 1 });
  await stage.until('the message to the shop', () => shop.received.length === before + 1);
});

test('a rotation that fails is told to the app’s own channel with the next step', async () => {
  const planted = await stage.plant('no-admin', { tags: { admin: 'nobody-s-admin' } });
  await stage.until('the message', () =>
    ops.received.some((text) => text.includes('no-admin (local) was not rotated')),
  );
  const text = ops.received.find((one) => one.includes(planted.name));
  expect(text).toContain('nobody-s-admin');
  expect(text?.split('\n')[1]).toMatch(/\w+/);
});

test('no secret value is in what was sent, in any log, message or row', () => {
  stage.expectNoSecretAnywhere();
  const secrets = ['told', 'told-later', 'hook-signing', 'ops-url'].flatMap((name) =>
    stage.vault.versions(name).map(({ value }) => value),
  );
  expect(secrets.length).toBeGreaterThan(5);
  expect(findSecrets({ bodies: shop.bodies, texts: ops.received }, secrets)).toEqual([]);
});
