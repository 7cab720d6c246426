/** Settings that would have libraries print what they send. */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeLoud } from '../../shared/config/loud.ts';

const canary = 'kt-canary-of-redis';
const root = new URL('../../', import.meta.url);
let server: Server;
let port = 0;

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('data', () => socket.write('+OK\r\n'));
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});

afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

function printedBy(script: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const options = { cwd: root, env: { ...process.env, ...environment }, encoding: 'utf8' } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], options, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

const login = () => `
  const { Redis } = await import('ioredis');
  const client = new Redis({ host: '127.0.0.1', port: ${port}, lazyConnect: true, enableReadyCheck: false, disableClientInfo: true, protocol: 2 });
  await client.connect();
  await client.call('AUTH', ${JSON.stringify(canary)});
  client.disconnect();
  console.log('logged in');
`;

const removing = "import { removeLoud } from './shared/config/loud.ts'; removeLoud(process.env);";

test('DEBUG has the driver of Redis print the password, and taken away before it is loaded it does not', async () => {
  expect(await printedBy(login(), { DEBUG: '*' })).toContain(canary);
  const quiet = await printedBy(removing + login(), { DEBUG: '*' });
  expect(quiet).toContain('logged in');
  expect(quiet).not.toContain(canary);
});

test('the app takes it away when it starts, and says so', async () => {
  const settings = {
    KEYTURN_VAULTS: 'https://contoso-kv.vault.azure.net',
    AzureWebJobsStorage__accountName: 'keyturnstore',
    DEBUG: '*',
  };
  const printed = await printedBy(
    "await import('./functions/index.ts'); console.log('is ' + process.env.DEBUG);",
    settings,
  );
  expect(printed).toContain('is undefined');
  expect(printed).toContain('loud-setting-removed');
});

test('nothing else of the environment is touched', () => {
  const environment = { DEBUG: 'ioredis:*', PATH: '/bin', KEYTURN_VAULTS: 'x' };
  expect(removeLoud(environment)).toEqual(['DEBUG']);
  expect(environment).toEqual({ PATH: '/bin', KEYTURN_VAULTS: 'x' });
  expect(removeLoud(environment)).toEqual([]);
});
