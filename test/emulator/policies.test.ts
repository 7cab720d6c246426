/** Azure Policies for the data of a vault, assigned with effect Deny. */
import { describe, expect, test } from 'vitest';
import type { VaultEmulator } from '../../local/vault/index.ts';
import { readCommandLine } from '../../local/vault/main.ts';
import { clientFor, failure, raw, vaultFor } from './helpers.ts';

const daySeconds = 86_400;
const all = { expirationDate: true, contentType: true, maximumValidityDays: 90 };

const inDays = (vault: VaultEmulator, days: number): Date =>
  new Date((vault.clock.nowSeconds() + days * daySeconds) * 1000);

describe('a vault with policies of effect Deny', () => {
  test.for<[string, Partial<typeof all>, { readonly days?: number; readonly contentType?: string }, string]>([
    ['has no expiration date', { expirationDate: true }, {}, '98728c90-32c7-4049-8429-847dc0f4fe37'],
    ['has no content type', { contentType: true }, { days: 9 }, '75262d3e-ba4a-4f43-85f8-9f72c090e5e3'],
    ['is valid for too long', { maximumValidityDays: 90 }, { days: 91 }, '342e8053-e12e-4c44-be01-c3c2f318400f'],
    ['is valid for ever', { maximumValidityDays: 90 }, {}, '342e8053-e12e-4c44-be01-c3c2f318400f'],
  ])('refuses a version that %s, and makes none', async ([, policies, { days, contentType }, definition]) => {
    const vault = await vaultFor({ policies });
    const options = {
      ...(days === undefined ? {} : { expiresOn: inDays(vault, days) }),
      ...(contentType === undefined ? {} : { contentType }),
    };
    const refused = await failure(clientFor(vault).setSecret('orders', 'canary', options));
    expect(refused).toMatchObject({ status: 403, code: 'Forbidden' });
    expect(refused.message).toContain("Resource 'orders' was disallowed by policy.");
    expect(refused.message).toContain(definition);
    expect(refused.message).not.toContain('canary');
    expect(vault.versions('orders')).toEqual([]);
    expect(vault.calls.latest.at(-1)).toMatchObject({ operation: 'set', status: 403 });
  });

  test('takes what complies with all of them, to the last second', async () => {
    const vault = await vaultFor({ policies: all });
    vault.clock.set(new Date('2030-01-01T00:00:00.100Z'));
    const expiresOn = inDays(vault, 90);
    await clientFor(vault).setSecret('orders', 'x', { contentType: 'text/plain', expiresOn });
    expect(vault.versions('orders')).toHaveLength(1);
  });

  test('goes on changing and reading a version that was there before, as documented', async () => {
    const vault = await vaultFor();
    const { id } = vault.put('old', { value: 'x' });
    vault.policies.set(all);
    await clientFor(vault).updateSecretProperties('old', id, { tags: { emergency: 'now' } });
    expect((await clientFor(vault).getSecret('old')).properties.tags).toEqual({ emergency: 'now' });
  });

  test('has them assigned and taken away from outside', async () => {
    const vault = await vaultFor();
    const admin = (method: string, body?: unknown) =>
      raw(vault, method, '/_emulator/policies', { ...(body === undefined ? {} : { body }) });
    expect((await admin('GET')).body).toEqual({ expirationDate: false, contentType: false, maximumValidityDays: null });
    expect((await admin('POST', all)).body).toEqual(all);
    expect((await raw(vault, 'PUT', '/secrets/a', { body: { value: 'x' } })).status).toBe(403);
    expect((await admin('POST', { maximumValidityDays: 0 })).status).toBe(400);
    expect((await admin('POST', { expiry: true })).status).toBe(400);
    await admin('POST', { expirationDate: false, contentType: false, maximumValidityDays: null });
    expect((await raw(vault, 'PUT', '/secrets/a', { body: { value: 'x' } })).status).toBe(200);
  });
});

describe('npm run emulator -- --deny', () => {
  test('assigns the policies that are named', () => {
    expect(readCommandLine(['--deny', 'expiration-date,content-type,maximum-validity=90'])).toMatchObject({
      settings: { policies: all },
    });
    expect(readCommandLine(['--deny', 'content-type'])).toMatchObject({
      settings: { policies: { contentType: true } },
    });
  });

  test.for(['expiry', 'maximum-validity', 'maximum-validity=0', ''])('refuses "%s" with what it takes', (text) => {
    expect(readCommandLine(['--deny', text])).toEqual({
      kind: 'wrong',
      problem: expect.stringContaining('expiration-date, content-type, maximum-validity=DAYS'),
    });
  });
});
