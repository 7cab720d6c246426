import { expect, test } from 'vitest';
import { readSecretEvent } from '../../functions/secret-event.ts';

const data = { VaultName: 'contoso', ObjectType: 'Secret', ObjectName: 'orders', Version: 'a'.repeat(32) };
const cloudEvent = {
  specversion: '1.0',
  type: 'Microsoft.KeyVault.SecretNearExpiry',
  source: '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/contoso',
  id: '1',
};
const inBase64 = (text: string) => Buffer.from(text).toString('base64');
const read = (event: unknown) => readSecretEvent(event, new Set(['contoso']));

// CloudEvents 1.0.2, JSON format, 3.1: the producer chooses between the two members.
test('a CloudEvent says the same with data and with data_base64', () => {
  const plain = read({ ...cloudEvent, data });
  expect(plain).toMatchObject({ kind: 'request', request: { secret: 'orders', requestedBy: 'near-expiry' } });
  expect(read({ ...cloudEvent, data_base64: inBase64(JSON.stringify(data)) })).toEqual(plain);
  expect(read({ ...cloudEvent, ' data_base64 ': ` ${inBase64(JSON.stringify(data))} ` })).toEqual(plain);
});

test.each([
  ['no text', 7],
  ['no base64', '%%%'],
  ['base64 of no JSON', inBase64('orders')],
  ['base64 of a list', inBase64('[]')],
])('data_base64 that is %s is refused and named', (_, text) => {
  expect(read({ ...cloudEvent, data_base64: text })).toMatchObject({
    kind: 'refused',
    detail: expect.stringContaining('data'),
  });
});
