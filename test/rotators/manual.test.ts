import { describe, expect, it } from 'vitest';
import { manual } from '../../rotators/manual/entry.ts';
import type { RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { failureKinds } from '../../shared/errors.ts';
import { makeStep } from '../conformance/step.ts';

const nowhere = { host: '', options: {} };
const environment: RotatorEnvironment = {
  trustedCertificates: [],
  connectTimeoutMs: 1_000,
  getToken: () => Promise.reject(new Error('no identity here')),
  allowedHosts: [],
  cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
};
const current = { password: new SecretText('a certificate that somebody bought') };

async function parts(tags: Readonly<Record<string, string>>) {
  const options = manual.options.parse(tags);
  const admin = { kind: 'self' } as const;
  const step = makeStep('self-issued', { current, endpoint: nowhere, adminEndpoint: nowhere, admin, options });
  return { step, rotator: await manual.load(environment) };
}

describe('a secret with rotator=manual', () => {
  it('is refused whatever would make or end a credential of it, with the place where a person does', async () => {
    const { step, rotator } = await parts({ link: 'https://ca.contoso.example/orders' });
    const outcomes = [
      rotator.propose(step, current),
      await rotator.apply(step, current, current),
      await rotator.retire(step, current),
    ];
    for (const outcome of outcomes) {
      const hint = expect.stringContaining('https://ca.contoso.example/orders');
      expect(outcome).toMatchObject({ kind: 'failed', code: 'manual-rotation', hint });
    }
    expect(failureKinds['manual-rotation'].class).toBe('blocked');
  });

  it('without a link sends people to the provider', async () => {
    const { step, rotator } = await parts({});
    expect(await rotator.apply(step, current, current)).toMatchObject({ message: expect.stringContaining('a person') });
  });

  it('takes no link that is not https', () => {
    expect(manual.options.safeParse({ link: 'http://ca.contoso.example' }).success).toBe(false);
  });
});
