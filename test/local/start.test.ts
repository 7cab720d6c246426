import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Addresses, describeAddresses } from '../../local/addresses.ts';
import { localApiKeys } from '../../local/api-keys.ts';

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
  expect(said).toBe(
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

test('the text of the start says where the authority of the vault is, and the line that makes clients trust it', () => {
  const at = 'http://127.0.0.1:1';
  const authority = '/somewhere/.local/vault-authority.pem';
  const addresses: Addresses = {
    vault: {
      name: 'local',
      url: at,
      httpsUrl: 'https://127.0.0.1:1',
      authority,
      control: `${at}/_emulator/`,
      token: 'any',
    },
    api: { url: at, keys: localApiKeys },
    estate: { url: at, token: 'any' },
    host: { url: at, keys: { master: 'm', system: 's', host: 'h', functions: {} }, events: at },
    postgres: { url: undefined },
    storage: { connectionString: '', blob: at, queue: at, table: at },
    settings: {},
    samples: [],
  };
  const text = describeAddresses(addresses, true);
  expect(text).toContain(`https://127.0.0.1:1  (authority ${authority})`);
  expect(text).toMatch(new RegExp(`^  export NODE_EXTRA_CA_CERTS='${authority}'$`, 'm'));
});
