import { afterEach, expect, test } from 'vitest';
import { startAzurite } from '../../local/azurite.ts';
import { startEventDelivery } from '../../local/events/index.ts';
import { startVaultEmulator } from '../../local/vault/index.ts';
import { logged, saying, startFixture } from './functions-app.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

function kept<Started extends { close(): unknown }>(started: Started): Started {
  open.push(started);
  return started;
}

test.each(['eventgrid', 'cloudevents'] as const)(
  'a secret near its expiry becomes one invocation for each delivery, in the schema "%s"',
  async (schema) => {
    const azurite = kept(await startAzurite());
    const host = kept(await startFixture(azurite.connectionString));
    const vault = kept(await startVaultEmulator({ name: 'local' }));
    const delivery = kept(
      await startEventDelivery({
        source: (listener) => vault.onEvent(listener),
        subscriptions: [
          {
            ...{ name: 'near-expiry', url: host.eventGridUrl('onEvent'), schema },
            includedEventTypes: ['Microsoft.KeyVault.SecretNearExpiry'],
          },
        ],
        timeScale: 1e-3,
        disturb: { duplicates: 1 },
      }),
    );
    const dayMs = 86_400_000;
    vault.put('orders-db', { value: 'canary', expiresSeconds: vault.clock.nowSeconds() + 60 * 86_400 });
    vault.put('far-away', { value: 'canary', expiresSeconds: vault.clock.nowSeconds() + 3600 * 86_400 });
    vault.clock.advance(31 * dayMs);
    await delivery.idle();
    const events = await logged(host, saying('"orders-db"'), 2);
    for (const { message } of events) {
      expect(JSON.parse(message).event).toMatchObject({
        subject: 'orders-db',
        [schema === 'eventgrid' ? 'eventType' : 'type']: 'Microsoft.KeyVault.SecretNearExpiry',
        data: { VaultName: 'local', ObjectName: 'orders-db' },
      });
    }
    expect(delivery.statistics()['near-expiry']).toMatchObject({ matched: 1, duplicates: 1, delivered: 2 });
    expect(JSON.stringify(host.logs())).not.toContain('canary');
  },
);

test('an event whose function fails is delivered again until its last attempt, then kept as a dead letter', async () => {
  const azurite = kept(await startAzurite());
  const host = kept(await startFixture(azurite.connectionString));
  const delivery = kept(
    await startEventDelivery({
      subscriptions: [{ name: 'all-events', url: host.eventGridUrl('onEvent'), maxDeliveryAttempts: 3 }],
      timeScale: 1e-3,
    }),
  );
  delivery.publish({ id: 'bad', wish: 'make it fail' });
  await delivery.idle();
  expect(host.logs().filter(saying('{"event":{"id":"bad"'))).toHaveLength(3);
  expect(delivery.deadLetters()).toMatchObject([
    { event: { id: 'bad' }, lastHttpStatusCode: 500, deliveryAttempts: 3 },
  ]);
});
