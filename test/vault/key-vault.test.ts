/** The vault adapter against a vault that behaves like the service. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { KeyVault, type KeyVaultOptions } from '../../shared/vault/key-vault.ts';
import { listingAt } from '../../shared/vault/listing.ts';

const credential = { getToken: async () => ({ token: 'any', expiresOnTimestamp: Date.now() + 3_600_000 }) };
const signal = AbortSignal.timeout(60_000);
const dayMs = 24 * 60 * 60 * 1000;
let emulator: VaultEmulator;
let vault: KeyVault;

beforeEach(async () => {
  emulator = await startVaultEmulator({ name: 'contoso' });
  vault = new KeyVault({ url: emulator.url, name: emulator.name, credential });
});
afterEach(() => emulator.close());

const version = (value: string, tags: Record<string, string> = {}) => ({ value: new SecretText(value), tags });

async function write(name: string, value: string): Promise<string> {
  const outcome = await vault.write(name, version(value), { signal });
  if (outcome.kind !== 'written') throw new Error(outcome.message);
  return outcome.secret.version;
}

describe('a vault', () => {
  it('gives back what was written, with its own clock', async () => {
    emulator.clock.advance(100 * dayMs);
    const expiresAt = new Date(Math.floor((Date.now() + 190 * dayMs) / 1000) * 1000);
    const written = await vault.write(
      'orders',
      { ...version('one', { a: 'b' }), contentType: 'x/y', expiresAt },
      { signal },
    );
    const outcome = await vault.read('orders', { signal });
    expect(outcome).toMatchObject({
      kind: 'found',
      secret: { tags: { a: 'b' }, contentType: 'x/y', expiresAt, enabled: true },
    });
    if (outcome.kind !== 'found' || written.kind !== 'written') throw new Error('not there');
    expect(outcome.secret.value.reveal()).toBe('one');
    expect(outcome.secret.version).toBe(written.secret.version);
    expect(outcome.secret.readAt.getTime()).toBeGreaterThan(Date.now() + 99 * dayMs);
  });

  it('lists all versions of a secret that has more than a page of them', async () => {
    const made: string[] = [];
    for (let count = 0; count < 60; count++) {
      made.push(await write('orders', String(count)));
      emulator.clock.advance(1_000);
    }
    const outcome = await vault.versions('orders', { signal });
    if (outcome.kind !== 'listed') throw new Error(outcome.message);
    expect(outcome.versions.map((one) => one.version)).toEqual(made.reverse());
  });

  it('lists versions newest first, also those of one second', async () => {
    const versions = [await write('orders', '1'), await write('orders', '2')];
    emulator.clock.advance(5_000);
    versions.push(await write('orders', '3'));
    const outcome = await vault.versions('orders', { signal });
    if (outcome.kind !== 'listed') throw new Error(outcome.message);
    expect(outcome.versions).toHaveLength(3);
    expect(outcome.versions[0]?.version).toBe(versions[2]);
    versions.push(await write('orders', '4'));
    const again = await vault.versions('orders', { signal });
    expect(again.kind === 'listed' && again.versions[0]?.version).toBe(versions[3]);
  });

  it('says that a disabled secret is disabled and a missing one is not there', async () => {
    const id = await write('orders', 'one');
    await vault.change('orders', id, { enabled: false }, { signal });
    expect(await vault.read('orders', { signal })).toEqual({ kind: 'disabled' });
    expect(await vault.read('nothing', { signal })).toEqual({ kind: 'not-found' });
    expect(await vault.versions('nothing', { signal })).toEqual({ kind: 'listed', versions: [] });
  });

  it('lists all secrets, 25 a page, one call a page', async () => {
    for (let index = 0; index < 60; index++)
      emulator.put(`secret-${index}`, { value: 'x', tags: { index: String(index) } });
    const pages = [];
    for await (const page of vault.list({ signal }))
      pages.push(page.kind === 'page' ? page.secrets.length : page.message);
    expect(pages).toEqual([25, 25, 10]);
  });

  it('goes on with a listing where another left it, and nowhere but in its own vault', async () => {
    for (let index = 0; index < 30; index++) emulator.put(`secret-${index}`, { value: 'x' });
    const first = async (after = '') => {
      const next = await vault.list({ signal, after })[Symbol.asyncIterator]().next();
      if (next.done === true || next.value.kind !== 'page') throw new Error('no page');
      return next.value;
    };
    const one = await first();
    const two = await first(one.next);
    expect(new Set([...one.secrets, ...two.secrets].map(({ name }) => name)).size).toBe(30);
    expect([one.next, two.next]).toEqual([expect.stringContaining('skiptoken'), undefined]);
    // A made-up place is a query of this vault's listing, whatever it says.
    for (const forged of ['//evil.example/?x', '@evil.example', 'api-version=7.5#/../..', '\\\\evil']) {
      const url = new URL(listingAt(emulator.url, forged));
      expect([url.origin, url.pathname]).toEqual([emulator.url, '/secrets']);
    }
  });

  it('over https is trusted by the authority that is given, and by no other', async () => {
    const options: KeyVaultOptions = { url: emulator.httpsUrl, credential };
    const trusted = new KeyVault({ ...options, trustedCertificates: [emulator.certificate] });
    expect(await trusted.read('nothing', { signal })).toEqual({ kind: 'not-found' });
    const quick = { pause: async () => undefined, random: () => 0 };
    const outcome = await new KeyVault({ ...options, waiting: quick }).read('nothing', { signal });
    expect(outcome).toMatchObject({ code: 'vault-unreachable', message: expect.stringMatching(/certificate/i) });
  });

  it('that lost the answer to a write is not written to twice', async () => {
    await write('orders', 'one');
    emulator.faults.add({ match: { operation: 'set' }, when: { calls: [1] }, effect: { kind: 'cut', stage: 'after' } });
    const outcome = await vault.write('orders', version('two'), { signal });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'vault-unreachable' });
    // It was made nevertheless: who wrote it finds it by reading.
    expect(emulator.versions('orders')).toHaveLength(2);
  });

  it('gives a deleted name back before it is written to, with its versions', async () => {
    await write('orders', 'one');
    const { SecretClient } = await import('@azure/keyvault-secrets');
    const loopback = { allowInsecureConnection: true, disableChallengeResourceVerification: true };
    const poller = await new SecretClient(emulator.url, credential, loopback).beginDeleteSecret('orders');
    await poller.pollUntilDone();
    await write('orders', 'two');
    expect(emulator.versions('orders')).toHaveLength(2);
  });

  it('under a policy that denies the version says what the policy asks for, not that a role is missing', async () => {
    emulator.policies.set({ contentType: true });
    const outcome = await vault.write('orders', version('one'), { signal });
    expect(outcome).toMatchObject({ code: 'vault-refused', class: 'blocked' });
    expect(outcome).toMatchObject({ message: expect.stringContaining('Secrets should have content type set') });
    expect(JSON.stringify(outcome)).not.toContain('role');
    expect(emulator.calls.count('set')).toBe(1);
  });

  it('refuses a value that is too long, and is not asked again', async () => {
    const outcome = await vault.write('orders', version('x'.repeat(26_000)), { signal });
    expect(outcome).toMatchObject({ code: 'vault-refused', class: 'blocked' });
    expect(JSON.stringify(outcome)).not.toContain('xxxxxxxxxx');
  });
});
