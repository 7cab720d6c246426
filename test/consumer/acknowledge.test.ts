import { describe, expect, it } from 'vitest';
import { findSecrets } from '../canary.ts';
import { acknowledgementServer, canary, eventually, vaultWith, watched } from './helpers.ts';

describe('acknowledging', () => {
  it('is tried again until Keyturn takes it, and a version is sent no more after that', async () => {
    const keyturn = await acknowledgementServer([503, 500]);
    const from = await vaultWith(canary('value'));
    const { secret, problems } = await watched(from, {
      acknowledge: { api: `${keyturn.api}/`, key: 'consumer-key-0123' },
    });
    expect(await Promise.all([secret.acknowledge(), secret.acknowledge()])).toEqual(['acknowledged', 'acknowledged']);
    expect(await secret.acknowledge()).toBe('acknowledged');
    const path = `/api/v1/vaults/local/secrets/orders-db/versions/${from.versions[0]}/acknowledgements`;
    expect(keyturn.calls.map((call) => [call.method, call.path])).toEqual(Array(3).fill(['POST', path]));
    expect(keyturn.calls.every((call) => call.headers['x-functions-key'] === 'consumer-key-0123')).toBe(true);
    expect(problems.map((one) => one.code)).toEqual(['acknowledgement-failed', 'acknowledgement-failed']);
    expect(findSecrets(problems, ['consumer-key-0123', secret.current.value.reveal()])).toEqual([]);
  });

  it('a key can be a function, and a token is sent as bearer', async () => {
    const keyturn = await acknowledgementServer();
    const from = await vaultWith(canary('value'));
    const byKey = await watched(from, { acknowledge: { api: keyturn.api, key: async () => 'late-key' } });
    const byToken = await watched(from, {
      acknowledge: { api: keyturn.api, token: async () => 'entra-token', consumer: 'shop-eu' },
    });
    await byKey.secret.acknowledge();
    await byToken.secret.acknowledge();
    expect(keyturn.calls.map(({ headers }) => [headers['x-functions-key'], headers.authorization])).toEqual([
      ['late-key', undefined],
      [undefined, 'Bearer entra-token'],
    ]);
    expect(keyturn.calls.map(({ body }) => body)).toEqual(['{}', '{"consumer":"shop-eu"}']);
  });

  it('a newer version takes the place of one that Keyturn has not taken yet', async () => {
    const keyturn = await acknowledgementServer([500]);
    const from = await vaultWith(canary('value'));
    const { secret } = await watched(from, { acknowledge: { api: keyturn.api, key: 'k' } });
    const old = secret.acknowledge();
    await eventually(() => expect(keyturn.calls).toHaveLength(1));
    await from.publish(canary('next'));
    await secret.refresh();
    expect(await Promise.all([old, secret.acknowledge()])).toEqual(['given-up', 'acknowledged']);
    expect(keyturn.calls).toHaveLength(2);
  });

  it.each([
    [401, 'does not know the key'],
    [403, 'tag "consumers"'],
    [404, '"api" is not the address'],
  ])('an answer of %i says what to do', async (status, words) => {
    const keyturn = await acknowledgementServer([status]);
    const from = await vaultWith(canary('value'));
    const { secret, problems } = await watched(from, { acknowledge: { api: keyturn.api, key: 'k' } });
    await secret.acknowledge();
    expect(problems.map((one) => one.message).join()).toContain(words);
  });

  it('close() ends what is still being tried', async () => {
    const keyturn = await acknowledgementServer(Array(50).fill(500));
    const from = await vaultWith(canary('value'));
    const { secret } = await watched(from, { acknowledge: { api: keyturn.api, key: 'k' } });
    const waiting = secret.acknowledge();
    await eventually(() => expect(keyturn.calls).toHaveLength(1));
    await secret.close();
    expect(await waiting).toBe('given-up');
    expect(await secret.acknowledge()).toBe('given-up');
  });
});
