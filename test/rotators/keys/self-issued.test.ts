import { describe, expect, it } from 'vitest';
import { selfIssued } from '../../../rotators/self-issued/entry.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import { bothRules, type PasswordRules } from '../../../shared/contract/password-rules.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { newPassword } from '../../../shared/engine/rotation/password.ts';
import { makeStep } from '../../conformance/step.ts';

const nowhere = { host: '', options: {} };
const environment = {
  trustedCertificates: [],
  connectTimeoutMs: 1_000,
  getToken: async () => new SecretText('unused'),
  allowedHosts: [],
  cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
};

async function propose(form: string, current: Credential) {
  const options = selfIssued.options.parse({ form });
  const rotator = await selfIssued.load(environment);
  const parts = { current, endpoint: nowhere, adminEndpoint: nowhere, admin: { kind: 'self' }, options } as const;
  const step = makeStep('self-issued', parts);
  const candidate = rotator.propose(step, current);
  if ('kind' in candidate) throw new Error(candidate.message);
  return { rotator, step, candidate };
}

const old: Credential = { password: new SecretText('the key in use, made by hand') };

describe('a proposed value', () => {
  it.each([
    ['', /^[A-Za-z0-9]{40}$/],
    ['length=64', /^[A-Za-z0-9]{64}$/],
    ['alphabet=abcdefgh length=80', /^[a-h]{80}$/],
    ['encoding=base64 prefix=whsec_', /^whsec_[A-Za-z0-9+/]{43}=$/],
    ['encoding=base64url length=48', /^[A-Za-z0-9_-]{64}$/],
    ['encoding=hex length=25', /^[0-9a-f]{50}$/],
  ])('with %j has that form and passes its own check', async (asked, form) => {
    const { rotator, step, candidate } = await propose(asked, old);
    expect(candidate.password.reveal()).toMatch(form);
    expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
  });

  it('carries the old key where the value holds a current and a previous one', async () => {
    const { candidate } = await propose('', { ...old, parts: { previous: new SecretText('older') } });
    expect(candidate.parts?.['previous']?.equals(old.password)).toBe(true);
  });

  it('carries nothing where the value holds one key', async () => {
    const { candidate } = await propose('', old);
    expect(candidate.parts).toBeUndefined();
  });
});

describe('the tag "password"', () => {
  async function step(passwordRules: PasswordRules, form = '') {
    const options = selfIssued.options.parse({ form });
    const parts = {
      current: old,
      endpoint: nowhere,
      adminEndpoint: nowhere,
      admin: { kind: 'self' },
      options,
    } as const;
    const made = (rules: PasswordRules = {}) => newPassword(bothRules(passwordRules, rules));
    return { ...makeStep('self-issued', parts), passwordRules, newPassword: made };
  }

  it('takes the place of "form", and its own check accepts what it made', async () => {
    const rotator = await selfIssued.load(environment);
    const asked = await step({ length: 64, require: { special: 2 }, exclude: 'abc' });
    const candidate = rotator.propose(asked, old);
    if ('kind' in candidate) throw new Error(candidate.message);
    expect(candidate.password.reveal()).toMatch(/^(?=(?:.*[._~-]){2})[A-Zd-z0-9._~-]{64}$/);
    expect(await rotator.verify(asked, candidate)).toEqual({ kind: 'accepted' });
    expect(await rotator.verify(asked, { password: new SecretText('a'.repeat(64)) })).toMatchObject({
      kind: 'refused',
    });
  });

  it.each([
    ['beside "form"', { length: 64 }, 'encoding=base64', /keep one of them/],
    ['with fewer bits than a key needs', { length: 24 }, '', /gives 1\d\d random bits.*200/],
  ])('is refused %s, before anything is made and in the plan', async (_, rules, form, why) => {
    const rotator = await selfIssued.load(environment);
    const asked = await step(rules, form);
    expect(rotator.propose(asked, old)).toMatchObject({ code: 'tag-invalid', message: expect.stringMatching(why) });
    expect(await rotator.check(asked)).toContainEqual(
      expect.objectContaining({ name: 'password rules', state: 'failed', detail: expect.stringMatching(why) }),
    );
  });
});

describe('verify', () => {
  it('accepts what is published and what is kept beside it, however it was made', async () => {
    const previous = new SecretText('x');
    const { rotator, step } = await propose('', { ...old, parts: { previous } });
    expect(await rotator.verify(step, old)).toEqual({ kind: 'accepted' });
    expect(await rotator.verify(step, { password: previous })).toEqual({ kind: 'accepted' });
  });

  it.each([
    ['', 'empty'],
    ['short', 'characters'],
    ['!'.repeat(40), 'alphabet'],
  ])('refuses %j as a new value', async (value, why) => {
    const { rotator, step } = await propose('', old);
    const outcome = await rotator.verify(step, { password: new SecretText(value) });
    expect(outcome).toMatchObject({ kind: 'refused', detail: expect.stringContaining(why) });
  });
});
