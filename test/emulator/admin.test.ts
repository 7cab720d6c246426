import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { VaultEmulator } from '../../local/vault/index.ts';
import { type RawAnswer, raw, vaultFor } from './helpers.ts';

const dayMs = 86_400_000;

/** A call to the admin addresses: no token. */
const admin = (vault: VaultEmulator, method: string, path: string, body?: unknown): Promise<RawAnswer> =>
  raw(vault, method, `/_emulator/${path}`, { headers: { Authorization: '' }, ...(body === undefined ? {} : { body }) });

describe('admin addresses', () => {
  test('tell what stands, and never a value', async () => {
    const vault = await vaultFor({ name: 'my-vault' });
    await raw(vault, 'PUT', '/secrets/live', { body: { value: 'canary', tags: { t: 'canary' } } });
    expect((await admin(vault, 'GET', '')).body).toMatchObject({
      name: 'my-vault',
      secrets: 1,
      clock: { offsetMs: 0 },
      limits: { on: true, creations: 300, others: 4_000 },
      calls: { set: 1, get: 0 },
    });
    const { body } = await admin(vault, 'GET', 'calls');
    expect(body).toMatchObject({ total: 1, challenges: 0, latest: [{ operation: 'set', name: 'live', status: 200 }] });
    expect(JSON.stringify(body)).not.toContain('canary');
    expect((await admin(vault, 'DELETE', 'calls')).status).toBe(204);
    expect(vault.calls.total).toBe(0);
  });

  test('move the clock', async () => {
    const vault = await vaultFor();
    await admin(vault, 'POST', 'clock', { advanceDays: 2 });
    await admin(vault, 'POST', 'clock', { advanceMs: 5 });
    expect(vault.clock.offsetMs).toBe(2 * dayMs + 5);
    await admin(vault, 'POST', 'clock', { set: '2040-01-31T12:00:00Z' });
    expect((await admin(vault, 'GET', 'clock')).body).toMatchObject({ now: expect.stringMatching(/^2040-01-31T12:0/) });
    await admin(vault, 'POST', 'clock', { reset: true });
    expect(vault.clock.offsetMs).toBe(0);
  });

  test('add, show and remove faults', async () => {
    const vault = await vaultFor();
    const { status, body } = await admin(vault, 'POST', 'faults', {
      match: { operation: 'list' },
      when: { calls: [2] },
      effect: { kind: 'status', status: 503 },
    });
    expect({ status, body }).toEqual({ status: 201, body: { id: 'fault-1' } });
    await raw(vault, 'GET', '/secrets');
    expect((await raw(vault, 'GET', '/secrets')).status).toBe(503);
    expect((await admin(vault, 'GET', 'faults')).body).toMatchObject({
      faults: [{ id: 'fault-1', matched: 2, hits: 1 }],
    });
    expect((await admin(vault, 'DELETE', 'faults/fault-1')).status).toBe(204);
    expect((await admin(vault, 'DELETE', 'faults/fault-1')).status).toBe(404);
    await admin(vault, 'POST', 'faults', { effect: { kind: 'cut' } });
    expect((await admin(vault, 'DELETE', 'faults')).status).toBe(204);
    expect(vault.faults.list()).toEqual([]);
  });

  test('set limits', async () => {
    const vault = await vaultFor();
    await admin(vault, 'POST', 'limits', { creations: 1, retryAfter: false });
    expect((await admin(vault, 'GET', 'limits')).body).toMatchObject({ on: true, creations: 1, retryAfter: false });
    await raw(vault, 'PUT', '/secrets/a', { body: { value: 'x' } });
    expect((await raw(vault, 'PUT', '/secrets/b', { body: { value: 'x' } })).status).toBe(429);
  });

  test('keep events for whoever asks, each given once', async () => {
    const vault = await vaultFor();
    vault.put('before', { value: 'x', expiresSeconds: vault.clock.nowSeconds() + 86_400 });
    const { body } = await admin(vault, 'POST', 'subscriptions', { types: ['Microsoft.KeyVault.SecretNearExpiry'] });
    const { id } = body as { id: string };
    vault.put('after', { value: 'x', expiresSeconds: vault.clock.nowSeconds() + 40 * 86_400 });
    await admin(vault, 'POST', 'clock', { advanceDays: 11 });
    expect((await admin(vault, 'GET', 'subscriptions')).body).toMatchObject({ subscriptions: [{ id, waiting: 1 }] });
    expect((await admin(vault, 'GET', `subscriptions/${id}`)).body).toMatchObject({ events: [{ subject: 'after' }] });
    expect((await admin(vault, 'GET', `subscriptions/${id}`)).body).toEqual({ events: [] });
    expect((await admin(vault, 'DELETE', `subscriptions/${id}`)).status).toBe(204);
    expect((await admin(vault, 'GET', `subscriptions/${id}`)).status).toBe(404);
  });

  test('reset forgets secrets, faults, counts and the move of the clock', async () => {
    const vault = await vaultFor();
    await raw(vault, 'PUT', '/secrets/a', { body: { value: 'x' } });
    vault.faults.add({ effect: { kind: 'cut' } });
    vault.clock.advance(dayMs);
    expect((await admin(vault, 'POST', 'reset', {})).status).toBe(204);
    expect(vault).toMatchObject({ size: 0, calls: { total: 0 }, clock: { offsetMs: 0 } });
    expect(vault.faults.list()).toEqual([]);
    expect((await raw(vault, 'PUT', '/secrets/a', { body: { value: 'x' } })).status).toBe(200);
  });

  test.for<[string, string, string, unknown, number]>([
    ['an unknown address', 'GET', 'nothing', undefined, 404],
    ['a wrong method', 'PUT', 'clock', {}, 405],
    ['an unknown field', 'POST', 'clock', { advanceHours: 1 }, 400],
    ['an impossible move', 'POST', 'clock', { advanceMs: 1e300 }, 400],
    ['no date', 'POST', 'clock', { set: 'tomorrow' }, 400],
    ['a fault without an effect', 'POST', 'faults', {}, 400],
    ['an unknown event', 'POST', 'subscriptions', { types: ['Other'] }, 400],
  ])('%s is refused with a reason and changes nothing', async ([, method, path, body, status]) => {
    const vault = await vaultFor();
    const answer = await admin(vault, method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: { message: expect.stringMatching(/\w+/) } });
    expect(vault.clock.offsetMs).toBe(0);
  });

  test('a web page, another host name and a form are refused', async () => {
    const vault = await vaultFor();
    const post = (headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const sent = request(
          `${vault.url}/_emulator/clock`,
          { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, agent: false },
          (response) => resolve(response.resume().statusCode ?? 0),
        );
        sent.on('error', reject).end('{"advanceDays":1}');
      });
    expect(await post({ Origin: 'https://example.com' })).toBe(403);
    expect(await post({ Host: 'rebound.example.com' })).toBe(403);
    expect(await post({ 'Content-Type': 'text/plain' })).toBe(415);
    expect(vault.clock.offsetMs).toBe(0);
    expect(await post({})).toBe(200);
  });
});

describe('the port', () => {
  test('a host that is no host does not get into ids', async () => {
    const vault = await vaultFor();
    vault.put('live', { value: 'x' });
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(vault.port, '127.0.0.1', () =>
        socket.write(
          'GET //secrets/live?api-version=7.5 HTTP/1.1\r\nHost: a/b@c\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n',
        ),
      );
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('end', () => resolve(text)).on('error', reject);
    });
    expect(answer).toContain('HTTP/1.1 200');
    expect(answer).toContain(`"id":"${vault.url}/secrets/live/`);
  });

  test('a client that connects and says nothing, or nonsense, does not keep the emulator from closing', async () => {
    const vault = await vaultFor();
    const silent = connect(vault.port, '127.0.0.1');
    const nonsense = connect(vault.port, '127.0.0.1', () => nonsense.write('\x16\x03nonsense'));
    const ended = (socket: typeof silent) =>
      new Promise<void>((resolve) =>
        socket
          .resume()
          .on('error', () => undefined)
          .on('close', () => resolve()),
      );
    const both = Promise.all([ended(silent), ended(nonsense)]);
    await raw(vault, 'GET', '/secrets');
    await vault.close();
    await vault.close();
    await both;
    await expect(raw(vault, 'GET', '/secrets')).rejects.toThrow();
  });

  test('a taken port is said so by the system, and a bad name leaves no port behind', async () => {
    const vault = await vaultFor();
    await expect(vaultFor({ port: vault.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(vaultFor({ name: '_' })).rejects.toThrow(/no name for a vault/);
    await expect(vaultFor({ recoverableDays: 5 })).rejects.toThrow(/recoverableDays/);
  });
});
