/** The app's own identity gives no token: each rotator says why, in time, and never throws. */
import { describe, expect, test } from 'vitest';
import { rotators } from '../../rotators/registry.ts';
import type { Rotator, RotatorEntry, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { newPassword } from '../../shared/engine/rotation/password.ts';

const cloud = { resourceManager: 'https://127.0.0.1:1', graph: 'https://127.0.0.1:1', login: 'https://127.0.0.1:1' };
const endpoint = { host: '127.0.0.1', port: 1, options: {} };
const environment: RotatorEnvironment = {
  trustedCertificates: [],
  connectTimeoutMs: 1_000,
  getToken: () => Promise.reject(new Error('not asked for')),
  allowedHosts: [],
  cloud,
};

async function apply(entry: RotatorEntry, getToken: () => Promise<SecretText>) {
  const rotator: Rotator = await entry.load(environment);
  const current = { username: 'app', password: new SecretText('canary-of-the-vault') };
  const step: Step = {
    rotationId: 'a'.repeat(32),
    label: 'keyturn-test',
    labelPrefix: 'keyturn-',
    secret: 'orders-db',
    strategy: entry.strategies[0],
    current,
    endpoint,
    adminEndpoint: endpoint,
    admin: { kind: 'identity', username: 'keyturn', getToken },
    options: entry.options.parse({}),
    emergency: false,
    validForMs: 90 * 86_400_000,
    signal: AbortSignal.timeout(300),
    remainingMs: () => 300,
    newPassword,
  };
  const candidate = rotator.propose(step, current);
  if ('kind' in candidate) throw new Error(candidate.message);
  return rotator.apply(step, candidate, current);
}

const databases = rotators.filter(({ hostless }) => hostless !== true);

describe.each(databases.map((entry) => [entry.name, entry] as const))('%s', (_name, entry) => {
  test('the identity never answers: unreachable when the call is over', async () => {
    const outcome = await apply(entry, () => new Promise<SecretText>(() => undefined));
    expect(outcome).toMatchObject({ kind: 'failed', code: 'target-unreachable', class: 'retry' });
  });

  test('the identity cannot be reached: tried again, and no evidence about anybody', async () => {
    const lost = Object.assign(new Error('getaddrinfo ENOTFOUND canary-of-the-vault'), { code: 'ENOTFOUND' });
    const outcome = await apply(entry, () => Promise.reject(lost));
    expect(outcome).toMatchObject({ kind: 'failed', code: 'target-unreachable', class: 'retry' });
    expect(JSON.stringify(outcome)).not.toContain('canary-of-the-vault');
  });

  test('the credential is unavailable, as the library says of an endpoint that answers 500: tried again, and named', async () => {
    const message = 'ManagedIdentityCredential: Authentication failed. Message 500\nmore lines';
    const none = Object.assign(new Error(message), { name: 'CredentialUnavailableError' });
    const chain = Object.assign(new Error('the chain failed'), {
      name: 'AggregateAuthenticationError',
      errors: [none],
    });
    for (const error of [none, chain]) {
      const outcome = await apply(entry, () => Promise.reject(error));
      expect(outcome).toMatchObject({ kind: 'failed', code: 'target-unreachable', class: 'retry' });
      expect(outcome).toMatchObject({ message: expect.stringContaining('ManagedIdentityCredential') });
      expect(JSON.stringify(outcome)).not.toContain('more lines');
    }
  });

  test('the identity is refused: a person must act, and is told so', async () => {
    const refusal = { name: 'AuthenticationError', statusCode: 401 };
    const none = Object.assign(new Error('invalid_client Status code: 401\nmore lines'), refusal);
    const chain = Object.assign(new Error('the chain failed'), {
      name: 'AggregateAuthenticationError',
      errors: [none],
    });
    for (const error of [none, chain]) {
      const outcome = await apply(entry, () => Promise.reject(error));
      expect(outcome).toMatchObject({ kind: 'failed', code: 'admin-refused', class: 'blocked' });
      expect(JSON.stringify(outcome)).not.toContain('more lines');
    }
  });
});
