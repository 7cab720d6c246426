import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Addresses, environmentText } from '../../local/addresses.ts';
import { localApiKeys } from '../../local/api-keys.ts';
import { startText } from '../../local/start-text.ts';

const program = fileURLToPath(new URL('../../local/start.ts', import.meta.url));

async function started(...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const [code] = await once(child, 'close');
  return { code, said };
}

test('ports that somebody else holds are named with their options, and nothing is started', async () => {
  const held = createServer();
  await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve));
  const address = held.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const free = ['--port', '0', '--vault-port', '0', '--blob-port', '0', '--queue-port', '0', '--table-port', '0'];
  const { code, said } = await started(...free, '--postgres-port', String(port));
  held.close();
  expect(said).toContain(
    `In use on 127.0.0.1 already: ${port} (--postgres-port).\n` +
      'End what listens there, perhaps another "npm start", or give other ports: "npm start -- --port 0" takes any free one.\n',
  );
  expect(code).toBe(1);
});

test('a port that is none is refused with the usage', async () => {
  const { code, said } = await started('--port', '70000');
  expect(said).toContain('--port takes a whole number from 0 to 65535, not "70000"');
  expect(said).toContain('--postgres-port N');
  expect(code).toBe(2);
});

test.each([
  [['--set', 'OVERLAP'], '--set takes NAME=VALUE, not "OVERLAP"'],
  [['--set', 'PATH=x'], '--set takes settings of docs/settings.md, not "PATH"'],
  [['--channel', 'ops'], '--channel takes NAME=URL, not "ops"'],
  [['--channels', 'no-such-file'], '--channels: ENOENT'],
])('%s is refused with the usage, and nothing is started', async (args, words) => {
  const { code, said } = await started(...args);
  expect(said).toContain(words);
  expect(said).not.toContain('Starting');
  expect(code).toBe(2);
});

const at = 'http://127.0.0.1:15432';
const addresses: Addresses = {
  vault: {
    ...{ name: 'local', url: at, httpsUrl: 'https://127.0.0.1:15432', control: `${at}/_emulator/`, token: 'any' },
    authority: "/some where's/.local/vault-authority.pem",
  },
  api: { url: at, keys: localApiKeys },
  estate: { url: at, token: 'any' },
  host: { url: at, keys: { master: 'm', system: 's', host: 'h', functions: {} }, events: at },
  postgres: { url: 'postgres://postgres:p@127.0.0.1:15432/postgres' },
  storage: { connectionString: '', blob: at, queue: at, table: at },
  settings: {},
  samples: [],
};

test('the text of the start fits 80 columns and shows no key and no password', () => {
  const text = startText(addresses, { empty: false, webhooks: ['my-app'] });
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text).toContain('signed with the secret my-app-signing');
  for (const key of [...Object.values(localApiKeys), ':p@']) expect(text).not.toContain(key);
});

test('the file for a shell sets the addresses and the authority that clients must trust, whatever is in the path', () => {
  const said = execFileSync('sh', ['-c', `${environmentText(addresses)}echo "$VAULT $POSTGRES $NODE_EXTRA_CA_CERTS"`]);
  expect(String(said)).toBe(`${at} ${addresses.postgres.url} ${addresses.vault.authority}\n`);
});
