import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saasNames } from '../../../local/providers/saas.ts';
import { httpKeys } from '../../../rotators/http-keys/entry.ts';
import { httpKeysTags } from '../../../rotators/http-keys/tags.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { findSecrets } from '../../canary.ts';
import { makeStep } from '../../conformance/step.ts';
import { type Subject, saasSubject } from './subjects.ts';

/** A candidate that the provider is to issue. */
const unissued = { password: new SecretText('') };

describe.each(saasNames)('%s', (name) => {
  let one: Subject;
  beforeAll(async () => {
    one = await saasSubject(name);
  });
  afterAll(() => one.close());

  it('check passes, and the new key logs in beside the old one until that is retired', async () => {
    const checks = await one.rotator.check(one.step());
    expect(checks.filter((check) => check.state === 'failed')).toEqual([]);
    const candidate = one.rotator.propose(one.step(), one.current);
    if ('kind' in candidate) throw new Error(candidate.message);
    const applied = await one.rotator.apply(one.step(), candidate, one.current);
    if (applied.kind !== 'applied') throw new Error(applied.message);
    const next = applied.credential;
    expect(next.keyId).toBeTruthy();
    expect(one.login(next)).toBe(true);
    expect(one.login(one.current)).toBe(true);
    expect(await one.rotator.verify(one.step(), next)).toEqual({ kind: 'accepted' });

    const after = one.step({ current: next });
    for (const _time of ['first', 'second']) {
      expect(await one.rotator.retire(after, one.current)).toEqual({ kind: 'retired', sessionsEnded: 0 });
    }
    expect(await one.rotator.verify(after, one.current)).toMatchObject({ kind: 'refused' });
    expect(await one.rotator.verify(after, next)).toEqual({ kind: 'accepted' });
    expect(findSecrets([checks, one.server.requests], one.secrets())).toEqual([]);
  });
});

describe('a key that takes time to work', () => {
  it('is asked about until it is taken', async () => {
    const one = await saasSubject('datadog');
    const { providers } = one.server as Awaited<
      ReturnType<typeof import('../../../local/providers/saas.ts').startSaas>
    >;
    providers.datadog.lag(2);
    const applied = await one.rotator.apply(one.step(), unissued, one.current);
    if (applied.kind !== 'applied') throw new Error(applied.message);
    expect(await one.rotator.verify(one.step(), applied.credential)).toEqual({ kind: 'accepted' });
    await one.close();
  });
});

describe('the id of a key that was there before Keyturn', () => {
  it.each(['sendgrid', 'twilio', 'cloudflare', 'confluent'] as const)(
    'is found for %s without a stamp',
    async (name) => {
      const one = await saasSubject(name);
      const { keyId: _unknown, ...unstamped } = one.current;
      const applied = await one.rotator.apply(one.step({ current: unstamped }), unissued, unstamped);
      if (applied.kind !== 'applied') throw new Error(applied.message);
      const after = one.step({ current: applied.credential });
      expect(await one.rotator.retire(after, unstamped)).toMatchObject({ kind: 'retired' });
      expect(one.login(unstamped)).toBe(false);
      await one.close();
    },
  );

  it('that cannot be found is named as the reason why the old key stays', async () => {
    const one = await saasSubject('datadog');
    const { keyId: _unknown, ...unstamped } = one.current;
    const applied = await one.rotator.apply(one.step({ current: unstamped }), unissued, unstamped);
    if (applied.kind !== 'applied') throw new Error(applied.message);
    const after = one.step({ current: applied.credential });
    expect(await one.rotator.retire(after, unstamped)).toMatchObject({ code: 'retire-refused' });
    const told = { ...after, options: { ...Object(after.options), keyId: one.current.keyId } };
    expect(await one.rotator.retire(told, unstamped)).toMatchObject({ kind: 'retired' });
    await one.close();
  });

  it('is wanted before a key is made where a login proves nothing about the project', async () => {
    const one = await saasSubject('openai');
    const { keyId: _unknown, ...unstamped } = one.current;
    const before = one.count();
    expect(await one.rotator.apply(one.step({ current: unstamped }), unissued, unstamped)).toMatchObject({
      code: 'key-unproven',
    });
    expect(one.count()).toBe(before);
    await one.close();
  });
});

describe('nothing is sent', () => {
  const parts = {
    current: { password: new SecretText('SG.id-of-it.secret-of-it') },
    endpoint: { host: '', options: {} },
    adminEndpoint: { host: '', options: {} },
    admin: { kind: 'connection', secret: 'saas-admin', credential: { password: new SecretText('admin-key') } },
  } as const;
  const environment = {
    trustedCertificates: [],
    connectTimeoutMs: 500,
    getToken: async () => new SecretText('unused'),
    allowedHosts: ['api.twilio.com'],
    cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
  };
  const apply = async (tags: Readonly<Record<string, string>>, changes: object = {}) => {
    const rotator = await httpKeys.load(environment);
    const step = makeStep('issue-revoke', { ...parts, options: httpKeysTags.parse(tags), ...changes });
    return [rotator.propose(step, step.current), await rotator.apply(step, unissued, step.current)] as const;
  };

  it.each(['stripe', 'pagerduty', 'github'])(
    'for %s: a person is told to rotate by hand, with a link',
    async (provider) => {
      for (const outcome of await apply({ provider })) {
        expect(outcome).toMatchObject({ code: 'manual-rotation', hint: expect.stringContaining('https://') });
      }
    },
  );

  it('to an unknown provider, and the known ones are named', async () => {
    for (const outcome of await apply({ provider: 'sendgird' })) {
      expect(outcome).toMatchObject({ code: 'tag-invalid', message: expect.stringContaining('sendgrid') });
    }
  });

  it('to a host that the settings do not name', async () => {
    const [, outcome] = await apply({ provider: 'sendgrid' });
    expect(outcome).toMatchObject({ code: 'host-not-allowed', message: expect.stringContaining('api.sendgrid.com') });
  });

  it('to a provider whose host is not the one the admin secret is for', async () => {
    const adminEndpoint = { host: 'api.sendgrid.com', options: {} };
    const admin = { ...parts.admin, credential: { password: new SecretText('SK0:admin-key') } };
    const tags = { provider: `twilio/AC${'0'.repeat(32)}` };
    const [, outcome] = await apply(tags, { adminEndpoint, admin });
    expect(outcome).toMatchObject({ code: 'host-mismatch' });
  });

  it.each([
    'sendgrid/api.elsewhere.test',
    'datadog/elsewhere.test',
    'datadog',
    'openai/proj_a/b',
    'cloudflare/not-needed',
    'new-relic/api.newrelic.com/one/2',
  ])('for %s, and how to write it is said', async (provider) => {
    for (const outcome of await apply({ provider })) {
      expect(outcome).toMatchObject({ code: 'tag-invalid', message: expect.stringMatching(/provider.*write it as/) });
    }
  });

  it('with one half of an admin key where the provider needs two', async () => {
    for (const outcome of await apply({ provider: `twilio/AC${'0'.repeat(32)}` })) {
      expect(outcome).toMatchObject({ code: 'admin-invalid', message: expect.stringContaining('two parts') });
    }
  });

  it('as the app itself, which no SaaS provider knows', async () => {
    const admin = { kind: 'identity', username: '', getToken: async () => new SecretText('t') };
    for (const outcome of await apply({ provider: 'sendgrid' }, { admin })) {
      expect(outcome).toMatchObject({ code: 'tag-invalid', message: expect.stringContaining('admin') });
    }
  });
});
