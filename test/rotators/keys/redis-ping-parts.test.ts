import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { connect } from '../../../rotators/azure-keys/connect.ts';
import { pingRedis } from '../../../rotators/azure-keys/redis-ping.ts';
import { azureKeysTags } from '../../../rotators/azure-keys/tags.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { makeStep } from '../../conformance/step.ts';
import { idOf } from './azure-scene.ts';

it.each([
  [['+OK\r\n+PONG\r\n'], 'accepted'],
  [['+OK\r\n+PO', 'NG\r\n'], 'accepted'],
  [['+O', 'K\r\n', '+PONG\r', '\n'], 'accepted'],
  [['-WRONGPASS invalid', ' username-password pair\r\n-NOAUTH', ' Authentication required.\r\n'], 'refused'],
  [['-LOADING Redis is loading\r\n-LOADING\r\n'], 'unclear'],
  [['x'.repeat(5_000)], 'unclear'],
] as const)('an answer that comes in the pieces %j is read whole: %s', async (pieces, kind) => {
  const server = createServer(async (socket) => {
    socket.on('error', () => undefined);
    socket.setNoDelay();
    for (const piece of pieces) {
      socket.write(piece);
      await sleep(20);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const credential = { password: new SecretText('key-of-the-cache') };
  const nowhere = { host: '', options: {} };
  const step = makeStep('dual-key', {
    ...{ current: credential, endpoint: nowhere, adminEndpoint: nowhere, admin: { kind: 'self' } as const },
    options: azureKeysTags.parse({ resource: idOf('Microsoft.Cache/redis') }),
  });
  const azure = connect({
    ...{ trustedCertificates: [], connectTimeoutMs: 2_000, allowedHosts: [] },
    getToken: async () => new SecretText('unused'),
    cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
  });
  const view = { kind: 'read', variety: undefined, self: {}, owner: {} } as const;
  expect(await pingRedis({ azure, step, view, credential }, '127.0.0.1', address.port)).toMatchObject({ kind });
  server.close();
});
