import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAzurite } from '../../local/azurite.ts';
import type { Delivery } from '../../shared/contract/deliveries.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { connectStorage } from '../../shared/storage/connect.ts';
import { tableChannelSwitches } from '../../shared/storage/state/channel-switches.ts';
import { tableDeliveries } from '../../shared/storage/state/deliveries.ts';
import { Records } from '../../shared/storage/state/records.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
let records: Records;

beforeAll(async () => {
  azurite = await startAzurite();
  const value = new SecretText(azurite.connectionString);
  records = new Records(connectStorage({ kind: 'connection-string', value }, { getToken: async () => null }));
});
afterAll(() => azurite.close());

const firstAt = new Date('2026-03-01T02:14:08Z');

function delivery(more: Partial<Delivery> = {}): Delivery {
  return {
    ...{ noticeId: 'r1', type: 'rotated', rotationId: 'r1', vault: 'contoso-kv', secret: 'orders-db', channel: 'shop' },
    ...{ state: 'waiting', attempts: 0, firstAt },
    ...more,
  };
}

test('deliveries of a rotation are listed with their newest state', async () => {
  const deliveries = tableDeliveries(records);
  expect(await deliveries.of('r1')).toEqual({ kind: 'listed', deliveries: [] });
  const sent = delivery({ state: 'delivered', attempts: 2, lastAt: new Date('2026-03-01T02:15:00Z'), detail: 'fine' });
  await deliveries.keep(delivery({ attempts: 1, nextAt: firstAt, lastAt: firstAt }));
  await deliveries.keep(sent);
  const other = delivery({ channel: 'ops', firstAt: new Date('2026-03-01T02:14:09Z') });
  await deliveries.keep(other);
  await deliveries.keep(delivery({ rotationId: 'r2', noticeId: 'r2' }));
  expect(await deliveries.of('r1')).toEqual({ kind: 'listed', deliveries: [sent, other] });
  expect(await deliveries.one(other)).toEqual({ kind: 'known', delivery: other });
  expect(await deliveries.one({ ...other, secret: 'billing-db' })).toEqual({ kind: 'known', delivery: undefined });
  expect(await deliveries.one({ ...other, channel: 'nobody' })).toEqual({ kind: 'known', delivery: undefined });
});

test('a failure that came before any rotation had an id is kept too', async () => {
  const deliveries = tableDeliveries(records);
  await deliveries.keep(delivery({ rotationId: '', noticeId: 'early' }));
  expect(await deliveries.of('')).toMatchObject({ deliveries: [{ noticeId: 'early', rotationId: '' }] });
});

test('a channel that is off is found by its name, and forgotten when it is switched on', async () => {
  const switches = tableChannelSwitches(records);
  const off = { channel: 'shop', setting: 'a hash', reason: 'HTTP 410', at: firstAt };
  expect(await switches.one('shop')).toEqual({ kind: 'known', off: undefined });
  await switches.off(off);
  expect(await switches.one('shop')).toEqual({ kind: 'known', off });
  expect(await switches.all()).toEqual({ kind: 'listed', switches: [off] });
  await switches.on('shop');
  await switches.on('shop');
  expect(await switches.all()).toEqual({ kind: 'listed', switches: [] });
});
