import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { ConsumerError, watchSecret } from '../../consumer/index.ts';
import { findSecrets } from '../canary.ts';
import { canary, closeLater, eventually, vaultWith, watched } from './helpers.ts';

const outage = { match: { operation: 'get' }, effect: { kind: 'status', status: 503 } } as const;

describe('watchSecret', () => {
  it('gives the newest version, and a later one after its interval, with one change event', async () => {
    const from = await vaultWith(canary('one'));
    const { secret, problems } = await watched(from, { refreshIntervalMs: 10 });
    const changes: string[][] = [];
    secret.on('change', ({ previous, current }) => void changes.push([previous.version, current.version]));
    expect(secret.current.version).toBe(from.versions[0]);
    const second = canary('two');
    await from.publish(second);
    await eventually(() => expect(secret.current.value.reveal()).toBe(second));
    expect(changes).toEqual([[from.versions[0], from.versions[1]]]);
    expect(problems).toEqual([]);
  });

  it('without an interval in the options: the overlap that the tags tell decides it, anew with each version', async () => {
    const from = await vaultWith(canary('paced'));
    const secret = await watchSecret({ client: from.client, name: from.name, vault: 'local' });
    closeLater(() => secret.close());
    expect(secret.longestStaleMs).toBe(370_000);
    await from.client.setSecret(from.name, canary('paced-too'), { tags: { rotator: 'postgres', overlap: 'P1D' } });
    await secret.refresh();
    expect(secret.longestStaleMs).toBe(1.2 * 7_200_000 + 10_000);
  });

  it('an outage of the vault: the last good value stays and ages, problems are told, and the end of it is noticed', async () => {
    const value = canary('kept');
    const from = await vaultWith(value);
    const { secret, problems } = await watched(from, { refreshIntervalMs: 10 });
    const fault = from.vault.faults.add(outage);
    await eventually(() => expect(problems.length).toBeGreaterThan(2));
    expect(new Set(problems.map((one) => one.code))).toEqual(new Set(['vault-unavailable']));
    expect(secret.current.value.reveal()).toBe(value);
    expect(secret.ageMs).toBeGreaterThan(0);
    fault.remove();
    const version = await from.publish(canary('after'));
    await eventually(() => expect(secret.current.version).toBe(version));
    expect(findSecrets(problems, [value])).toEqual([]);
  });

  it.each([
    ['is cut', { kind: 'cut', stage: 'before' }, 'vault-unavailable'],
    ['is throttled', { kind: 'status', status: 429 }, 'vault-unavailable'],
    ['takes too long', { kind: 'delay', ms: 60_000 }, 'vault-unavailable'],
    ['is forbidden', { kind: 'status', status: 403 }, 'vault-refused'],
  ] as const)('a read that %s is a failed refresh and no exception', async (_what, effect, code) => {
    const from = await vaultWith(canary('value'));
    const { secret } = await watched(from, { readTimeoutMs: 300 });
    from.vault.faults.add({ match: { operation: 'get' }, effect });
    expect(await secret.refresh()).toMatchObject({ kind: 'failed', error: { code } });
  });

  it('a disabled newest version keeps the old one in use and says why', async () => {
    const value = canary('value');
    const from = await vaultWith(value);
    const { secret } = await watched(from);
    const version = await from.publish(canary('disabled'));
    await from.client.updateSecretProperties(from.name, version, { enabled: false });
    const refreshed = await secret.refresh();
    expect(refreshed).toMatchObject({ kind: 'failed', error: { code: 'vault-refused' } });
    expect(String(refreshed.kind === 'failed' && refreshed.error.message)).toContain('disabled');
    expect(secret.current.value.reveal()).toBe(value);
  });

  it('the first read is tried again while the vault is away, and a missing secret is an error at once', async () => {
    const from = await vaultWith(canary('value'));
    from.vault.faults.add({ ...outage, when: { calls: [1, 2] } });
    const { secret } = await watched(from);
    expect(secret.current.version).toBe(from.versions[0]);
    const missing = watched({ ...from, name: 'no-such-secret' });
    await expect(missing).rejects.toMatchObject({
      code: 'vault-refused',
      message: expect.stringContaining('no-such-secret'),
    });
    from.vault.faults.add(outage);
    await expect(watched(from, { startTimeoutMs: 100 })).rejects.toMatchObject({ code: 'vault-unavailable' });
  });

  it.each([
    ['an interval of nothing', { refreshIntervalMs: 0 }, 'refreshIntervalMs'],
    ['a name that is none', { name: 'orders/db' }, 'name'],
    ['a jitter below zero', { refreshJitterMs: -1 }, 'refreshJitterMs'],
    ['acknowledging without https', { acknowledge: { api: 'http://keyturn.example', key: 'k' } }, 'https'],
    ['acknowledging without a key', { acknowledge: { api: 'https://keyturn.example' } }, '"key" or "token"'],
    [
      'acknowledging for an unnamed vault',
      { vault: undefined, acknowledge: { api: 'https://k.example', key: 'k' } },
      '"vault"',
    ],
  ])('%s is refused by name', async (_what, options, words) => {
    const from = await vaultWith(canary('value'));
    const given = { client: from.client, name: from.name, vault: 'local', ...options };
    const { vault, ...rest } = given;
    const error: unknown = await watchSecret(vault === undefined ? rest : { ...rest, vault }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConsumerError);
    expect(String(error)).toContain(words);
  });

  it('fifty refusals at once make one read; those that follow without anything new are spaced', async () => {
    const from = await vaultWith(canary('value'));
    const { secret } = await watched(from);
    const before = from.reads();
    const { version } = secret.current;
    const first = await Promise.all(Array.from({ length: 50 }, () => secret.refused(version)));
    expect(new Set(first.map((one) => one.kind))).toEqual(new Set(['unchanged']));
    const second = await Promise.all(Array.from({ length: 50 }, () => secret.refused(version)));
    expect(new Set(second.map((one) => one.kind))).toEqual(new Set(['limited']));
    expect(from.reads() - before).toBe(1);
  });

  it('a refusal of a version that is not current any more reads nothing', async () => {
    const from = await vaultWith(canary('value'));
    const { secret } = await watched(from);
    await from.publish(canary('next'));
    await secret.refresh();
    const before = from.reads();
    expect(await secret.refused(from.versions[0] ?? '')).toMatchObject({ kind: 'changed' });
    expect(from.reads()).toBe(before);
  });

  it('a refusal during a read that began before it waits for a read of its own', async () => {
    const from = await vaultWith(canary('value'));
    const { secret } = await watched(from);
    from.vault.faults.add({
      match: { operation: 'get' },
      when: { calls: [1] },
      effect: { kind: 'delay', ms: 100, stage: 'after' },
    });
    const running = secret.refresh();
    await eventually(() => expect(from.vault.calls.latest.at(-1)?.operation).toBe('get'));
    const [early, late] = await Promise.all([running, secret.refused(secret.current.version)]);
    expect([early.kind, late.kind]).toEqual(['unchanged', 'unchanged']);
  });

  it('a listener that throws and one that rejects are told as problems, without the value, and keep nobody from hearing', async () => {
    const from = await vaultWith(canary('old'));
    const { secret, problems } = await watched(from);
    const next = canary('new');
    const heard: string[] = [];
    secret.on('change', ({ current }) => {
      throw new Error(`cannot use ${current.value.reveal()}`);
    });
    secret.on('change', async () => Promise.reject(new Error('nor can I')));
    const off = secret.on('change', () => void heard.push('gone'));
    secret.on('change', ({ current }) => void heard.push(current.version));
    off();
    await from.publish(next);
    await secret.refresh();
    expect(heard).toEqual([from.versions[1]]);
    await eventually(() => expect(problems.map((one) => one.code)).toEqual(['listener-failed', 'listener-failed']));
    expect(findSecrets(problems, [next])).toEqual([]);
  });

  it('an onError that throws ends nothing', async () => {
    const from = await vaultWith(canary('value'));
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { secret } = await watched(from, {
      onError: () => {
        throw new Error('no');
      },
    });
    from.vault.faults.add({ ...outage, when: { calls: [1] } });
    expect((await secret.refresh()).kind).toBe('failed');
    expect((await secret.refresh()).kind).toBe('unchanged');
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
  });

  it('the value is shown by reveal() alone', async () => {
    const value = canary('value');
    const from = await vaultWith(value);
    const { secret } = await watched(from);
    const { current } = secret;
    expect([`${current.value}`, JSON.stringify(current.value), inspect(current.value)]).toEqual([
      '[secret]',
      '"[secret]"',
      '[secret]',
    ]);
    expect(findSecrets([inspect(secret, { depth: 9, showHidden: true }), JSON.stringify(secret)], [value])).toEqual([]);
    expect(current.value.reveal()).toBe(value);
  });

  it('after close() nothing is read any more, refreshes fail as closed, and the value stays readable', async () => {
    const value = canary('value');
    const from = await vaultWith(value);
    const { secret, problems } = await watched(from, { refreshIntervalMs: 10 });
    await Promise.all([secret.close(), secret.close()]);
    const before = from.vault.calls.count('get');
    expect(await secret.refresh()).toMatchObject({ kind: 'failed', error: { code: 'closed' } });
    expect(secret.current.value.reveal()).toBe(value);
    expect(from.vault.calls.count('get')).toBe(before);
    expect(problems).toEqual([]);
  });
});
