import { describe, expect, it } from 'vitest';
import { apiKey } from '../../../rotators/api-key/entry.ts';
import { defaultStrategy } from '../../../rotators/api-key/options.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { makeStep } from '../../conformance/step.ts';

const nowhere = { host: '', options: {} };
const environment = {
  trustedCertificates: [],
  connectTimeoutMs: 1_000,
  getToken: async () => new SecretText('unused'),
  allowedHosts: [],
  cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
};

async function propose(tags: Readonly<Record<string, string>>, current: Credential) {
  const options = apiKey.options.parse({ provider: 'self-issued', ...tags });
  const rotator = await apiKey.load(environment);
  const parts = { current, endpoint: nowhere, adminEndpoint: nowhere, admin: { kind: 'self' }, options } as const;
  const step = makeStep('self-issued', parts);
  const candidate = rotator.propose(step, current);
  if ('kind' in candidate) throw new Error(candidate.message);
  return { rotator, step, candidate };
}

const old: Credential = { password: new SecretText('the key in use, made by hand') };

describe('a proposed value', () => {
  it.each([
    [{}, /^[A-Za-z0-9]{40}$/],
    [{ length: '64' }, /^[A-Za-z0-9]{64}$/],
    [{ alphabet: 'abcdefgh', length: '80' }, /^[a-h]{80}$/],
    [{ encoding: 'base64', prefix: 'whsec_' }, /^whsec_[A-Za-z0-9+/]{43}=$/],
    [{ encoding: 'base64url', length: '48' }, /^[A-Za-z0-9_-]{64}$/],
    [{ encoding: 'hex', length: '25' }, /^[0-9a-f]{50}$/],
  ])('with %o has that form and passes its own check', async (tags, form) => {
    const { rotator, step, candidate } = await propose(tags, old);
    expect(candidate.password.reveal()).toMatch(form);
    expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
  });

  it('carries the old key where the value holds a current and a previous one', async () => {
    const { candidate } = await propose({}, { ...old, parts: { previous: new SecretText('older') } });
    expect(candidate.parts?.['previous']?.equals(old.password)).toBe(true);
  });

  it('carries nothing where the value holds one key', async () => {
    const { candidate } = await propose({}, old);
    expect(candidate.parts).toBeUndefined();
  });
});

describe('verify', () => {
  it('accepts what is published and what is kept beside it, however it was made', async () => {
    const previous = new SecretText('x');
    const { rotator, step } = await propose({}, { ...old, parts: { previous } });
    expect(await rotator.verify(step, old)).toEqual({ kind: 'accepted' });
    expect(await rotator.verify(step, { password: previous })).toEqual({ kind: 'accepted' });
  });

  it.each([
    ['', 'empty'],
    ['short', 'characters'],
    ['!'.repeat(40), 'alphabet'],
  ])('refuses %j as a new value', async (value, why) => {
    const { rotator, step } = await propose({}, old);
    const outcome = await rotator.verify(step, { password: new SecretText(value) });
    expect(outcome).toMatchObject({ kind: 'refused', detail: expect.stringContaining(why) });
  });
});

describe('tags', () => {
  it.each([
    [{}, 'provider'],
    [{ provider: 'Self Issued' }, 'provider'],
    [{ provider: 'self-issued', length: '12' }, 'length'],
    [{ provider: 'self-issued', length: 'long' }, 'length'],
    [{ provider: 'self-issued', encoding: 'base32' }, 'encoding'],
    [{ provider: 'self-issued', encoding: 'hex', alphabet: 'abc' }, 'alphabet'],
    [{ provider: 'self-issued', alphabet: 'aab' }, 'alphabet'],
    [{ provider: 'self-issued', prefix: 'two words' }, 'prefix'],
    [{ provider: 'azure' }, 'resource'],
    [{ provider: 'azure', resource: '/subscriptions/x' }, 'resource'],
    [{ provider: 'entra-app', resource: 'not a guid' }, 'resource'],
  ])('%o are named by the tag that is wrong', (tags, tag) => {
    const result = apiKey.options.safeParse(tags);
    expect(result.success).toBe(false);
    expect(result.error?.issues.map((issue) => issue.path[0])).toEqual([tag]);
    for (const issue of result.error?.issues ?? []) expect(issue.message).toMatch(/^(add|choose|write|name|remove) /);
  });

  const group = '/subscriptions/01234567-89ab-cdef-0123-456789abcdef/resourceGroups/g/providers';
  it.each([
    `${group}/Microsoft.Storage/storageAccounts/a/listKeys`,
    `${group}/Microsoft.Storage/storageAccounts/..`,
    `${group}/Microsoft.Storage/storageAccounts/a?x=`,
    `${group}/Microsoft.Storage/storageAccounts/a%2f..%2fb`,
    `${group}/Microsoft.Compute/virtualMachines/a`,
    `https://elsewhere.test${group}/Microsoft.Storage/storageAccounts/a`,
  ])('the resource %s is refused', (resource) => {
    expect(apiKey.options.safeParse({ provider: 'azure', resource }).success).toBe(false);
  });

  it('give the strategy of the provider where none is asked for', () => {
    expect(defaultStrategy({ provider: 'self-issued' })).toBe('self-issued');
    expect(defaultStrategy({ provider: 'azure' })).toBe('dual-key');
    expect(defaultStrategy({ provider: 'entra-app' })).toBe('issue-revoke');
    expect(defaultStrategy({ provider: 'sendgrid' })).toBe('issue-revoke');
  });
});

it('a strategy that the provider cannot do is a failure that names both, whatever is called', async () => {
  const { rotator, step } = await propose({}, old);
  const wrong = { ...step, strategy: 'dual-key' } as const;
  for (const outcome of [
    rotator.propose(wrong, old),
    await rotator.apply(wrong, old, old),
    await rotator.retire(wrong, old),
  ]) {
    expect(outcome).toMatchObject({ code: 'strategy-unsupported', class: 'config' });
    expect(outcome).toMatchObject({ message: expect.stringMatching(/self-issued.*dual-key/) });
  }
});
