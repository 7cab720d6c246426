/** The app's identity fails for a moment, with Microsoft's own library: the vault is asked again later, and no role is blamed. */
import { createServer, type Server } from 'node:http';
import { ManagedIdentityCredential } from '@azure/identity';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import { KeyVault } from '../../shared/vault/key-vault.ts';

let emulator: VaultEmulator;
/** The identity endpoint of App Service. The library keeps the first address that the platform gave it. */
let endpoint: Server;
let said: Said;
beforeAll(async () => {
  emulator = await startVaultEmulator({ name: 'contoso' });
  emulator.put('orders', { value: 'one' });
  endpoint = createServer((_request, response) => {
    response.writeHead(said.status, { 'content-type': 'application/json' }).end(JSON.stringify(said.body));
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const address = endpoint.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  process.env['IDENTITY_ENDPOINT'] = `http://127.0.0.1:${address.port}/msi/token`;
  process.env['IDENTITY_HEADER'] = 'header-of-the-platform';
});
afterAll(async () => {
  await emulator.close();
  endpoint.close();
});

interface Said {
  readonly status: number;
  readonly body: object;
}

let clients = 0;
/** The library keeps a token for each identity of the process. */
const freshCredential = () =>
  new ManagedIdentityCredential({ clientId: `client-${clients++}`, retryOptions: { maxRetries: 0 } });

const read = (credential: ManagedIdentityCredential) =>
  new KeyVault({ url: emulator.url, name: emulator.name, credential }).read('orders', {
    signal: AbortSignal.timeout(30_000),
  });

const hourSeconds = 3_600;
const token = (): Said => ({
  status: 200,
  body: {
    access_token: 'a-token',
    expires_on: String(Math.floor(Date.now() / 1000) + hourSeconds),
    resource: 'https://vault.azure.net',
    token_type: 'Bearer',
  },
});

test.each<[string, Said]>([
  ['answers 500', { status: 500, body: { statusCode: 500, message: 'An unexpected error occurred.' } }],
  ['answers 503', { status: 503, body: { message: 'The service is unavailable.' } }],
  ['does not know the identity yet', { status: 400, body: { statusCode: 400, message: 'No User Assigned identity' } }],
])(
  'the endpoint %s: tried again, with the credential and the reason in the message',
  async (_what, trouble) => {
    said = trouble;
    const credential = freshCredential();
    const outcome = await read(credential);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'vault-unreachable', class: 'retry' });
    expect(outcome).toMatchObject({ message: expect.stringContaining('no token: ManagedIdentityCredential') });
    said = token();
    expect(await read(credential)).toMatchObject({ kind: 'found' });
  },
  60_000,
);

test('the endpoint refuses the connection: tried again', async () => {
  endpoint.closeAllConnections();
  await new Promise<void>((resolve) => endpoint.close(() => resolve()));
  const outcome = await read(freshCredential());
  expect(outcome).toMatchObject({ kind: 'failed', code: 'vault-unreachable', class: 'retry' });
  expect(outcome).toMatchObject({ message: expect.stringContaining('ManagedIdentityCredential') });
}, 60_000);
