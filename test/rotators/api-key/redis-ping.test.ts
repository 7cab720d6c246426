import { expect, it } from 'vitest';
import { startRedis } from '../../../local/redis.ts';
import { makeArm } from '../../../rotators/api-key/azure/arm.ts';
import type { AzureOptions } from '../../../rotators/api-key/azure/options.ts';
import { pingRedis } from '../../../rotators/api-key/azure/redis-ping.ts';
import { makeWire } from '../../../rotators/api-key/wire.ts';
import type { RotatorEnvironment } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { makeStep } from '../../conformance/step.ts';
import { idOf, optionsOf } from './azure-scene.ts';

const environment: RotatorEnvironment = {
  trustedCertificates: [],
  connectTimeoutMs: 2_000,
  getToken: async () => new SecretText('unused'),
  allowedHosts: [],
  cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
};

function azureOptions(): AzureOptions {
  const options = optionsOf({ provider: 'azure', resource: idOf('Microsoft.Cache/redis') });
  if (options.kind !== 'azure') throw new Error('not azure');
  return options;
}

it('a real Redis takes the right key, refuses another, and one that is gone proves nothing', async () => {
  const redis = await startRedis({ password: 'key-of-the-cache' });
  const nowhere = { host: '', options: {} };
  const ask = (key: string) => {
    const credential = { password: new SecretText(key) };
    const parts = { current: credential, endpoint: nowhere, adminEndpoint: nowhere, admin: { kind: 'self' } } as const;
    const step = makeStep('dual-key', { ...parts, options: azureOptions() });
    const wire = makeWire({ trustedCertificates: [], timeoutMs: 2_000 });
    const azure = { arm: makeArm(environment, wire), wire, environment };
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
