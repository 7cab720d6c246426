import { expect, it } from 'vitest';
import { startRedis } from '../../../local/redis.ts';
import { connect } from '../../../rotators/azure-keys/connect.ts';
import { pingRedis } from '../../../rotators/azure-keys/redis-ping.ts';
import { azureKeysTags } from '../../../rotators/azure-keys/tags.ts';
import type { RotatorEnvironment } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { makeStep } from '../../conformance/step.ts';
import { idOf } from './azure-scene.ts';

const environment: RotatorEnvironment = {
  trustedCertificates: [],
  connectTimeoutMs: 2_000,
  getToken: async () => new SecretText('unused'),
  allowedHosts: [],
  cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
};

it('a real Redis takes the right key, refuses another, and one that is gone proves nothing', async () => {
  const redis = await startRedis({ password: 'key-of-the-cache' });
  const nowhere = { host: '', options: {} };
  const ask = (key: string) => {
    const credential = { password: new SecretText(key) };
    const parts = { current: credential, endpoint: nowhere, adminEndpoint: nowhere, admin: { kind: 'self' } } as const;
    const step = makeStep('dual-key', {
      ...parts,
      options: azureKeysTags.parse({ resource: idOf('Microsoft.Cache/redis') }),
    });
    const azure = connect(environment);
    const view = { kind: 'read', variety: undefined, self: {}, owner: {} } as const;
    return pingRedis({ azure, step, view, credential }, redis.host, redis.port);
  };
  expect(await ask('key-of-the-cache')).toEqual({ kind: 'accepted' });
  expect(await ask('another key\r\nPING')).toMatchObject({ kind: 'refused' });
  await redis.stop();
  expect(await ask('key-of-the-cache')).toMatchObject({
    kind: 'unclear',
    detail: expect.stringContaining('ECONNREFUSED'),
  });
});
