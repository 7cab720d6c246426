/** The process: who calls whom with what, exit codes, signals, pipes. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exitCodes } from '../../cli/exit-codes.ts';
import { root } from '../tidy/files.ts';
import { child, keyturn, launcher } from './harness.ts';

const key = 'canary-key-that-nobody-must-see-0123456789';
const token = 'canaryToken.that.nobody-must-see';

let server: Server;
let url: string;
let folder: string;
let requests: IncomingMessage[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-cli-'));
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `http://127.0.0.1:${address.port}`;
});
beforeEach(() => {
  requests = [];
  answer = (_, response) => json(response, 200, { secrets: [], warnings: [] });
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const running = {
  ...{ rotationId: 'a'.repeat(32), vault: 'v', secret: 's', state: 'running', requestedBy: 'x', reason: 'y' },
  ...{ retired: false, warnings: [], attempts: [] },
};

describe('who calls', () => {
  it.each([
    ['a key of the environment', ['list'], { KEYTURN_KEY: key }, 'x-keyturn-key', key],
    ['a key given', ['list', '--key', key], { KEYTURN_TOKEN: token }, 'x-keyturn-key', key],
    ['a token of the environment', ['list'], { KEYTURN_TOKEN: token }, 'authorization', `Bearer ${token}`],
    ['a token given', ['list', '--token', token], { KEYTURN_KEY: key }, 'authorization', `Bearer ${token}`],
  ])('%s is sent in its header, and no other', async (_, words, env, header, value) => {
    const outcome = await keyturn(words, { env: { KEYTURN_URL: url, ...env } });
    expect(outcome.exit).toBe(0);
    expect(requests[0]?.url).toBe('/api/v1/secrets');
    expect(requests[0]?.headers[header]).toBe(value);
    const other = header === 'authorization' ? 'x-keyturn-key' : 'authorization';
    expect(requests[0]?.headers[other]).toBeUndefined();
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });

  it('with az login the token is the one az gives for the audience', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    const expires = new Date(Date.now() + 3_600_000).toISOString();
    await writeFile(
      join(bin, 'az'),
      `#!/bin/sh\necho "$@" >> ${join(folder, 'az.log')}\necho '{"accessToken":"${token}","expiresOn":"${expires}","tokenType":"Bearer"}'\n`,
    );
    await chmod(join(bin, 'az'), 0o755);
    const outcome = await child(process.execPath, [launcher, 'list', '--url', url, '--audience', 'api://keyturn'], {
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    });
    expect(outcome).toMatchObject({ exit: 0 });
    expect(await readFile(join(folder, 'az.log'), 'utf8')).toContain('--resource api://keyturn');
    expect(requests[0]?.headers['authorization']).toBe(`Bearer ${token}`);
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });

  it('without az that works it exits with 4 and says how to see why', async () => {
    const env = { PATH: join(folder, 'nothing') };
    const words = [launcher, 'list', '--url', url, '--audience', 'api://keyturn'];
    const outcome = await child(process.execPath, words, { env });
    expect(outcome).toMatchObject({ exit: 4, err: expect.stringContaining('az login') });
    expect(requests).toEqual([]);
  });

  it.each([
    ['no address', [], { KEYTURN_KEY: key }],
    ['nobody', ['--url', 'http://127.0.0.1:1'], {}],
    ['two credentials', ['--url', 'http://127.0.0.1:1', '--key', key, '--token', token], {}],
    ['no TLS to another machine', ['--url', 'http://keyturn.example'], { KEYTURN_KEY: key }],
    ['a credential in the address', ['--url', `https://me:${key}@keyturn.example`], { KEYTURN_KEY: key }],
    ['a key of two lines', ['--url', 'http://127.0.0.1:1'], { KEYTURN_KEY: `${key}\n${key}` }],
    ['--local and an address', ['--local', '--url', 'http://127.0.0.1:1'], {}],
  ])('%s is refused with 2 before anything is sent, and no key is shown', async (_, words, env) => {
    const outcome = await keyturn(['list', ...words], { env });
    expect(outcome).toMatchObject({ exit: 2, out: '', err: expect.stringContaining('Do: ') });
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });

  it('--local takes the address and the key for the role from the file of "npm start"', async () => {
    const keys = { reader: 'r', operator: 'o', emergency: 'e', consumer: 'c' };
    await mkdir(join(folder, '.local'));
    await mkdir(join(folder, 'below'));
    await writeFile(join(folder, '.local', 'azure.json'), JSON.stringify({ api: { url: `${url}/api/v1`, keys } }));
    const below = join(folder, 'below');
    expect(await child(process.execPath, [launcher, 'list', '--local'], { cwd: below })).toMatchObject({ exit: 0 });
    answer = (_, response) => json(response, 404, {});
    for (const words of [['freeze'], ['retire', 'v/s'], ['retire', 'v/s', '--force'], ['emergency', 'v/s']]) {
      await child(process.execPath, [launcher, ...words, '--local', '-r', 'x'], { cwd: below });
    }
    expect(requests.map(({ headers }) => headers['x-keyturn-key'])).toEqual(['r', 'o', 'o', 'e', 'e']);
  });
});

describe('what the other side does', () => {
  const seat = () => ({ env: { KEYTURN_URL: url, KEYTURN_KEY: key } });

  it('nobody answers: 7', async () => {
    const outcome = await keyturn(['list'], { env: { KEYTURN_URL: 'http://127.0.0.1:9', KEYTURN_KEY: key } });
    expect(outcome).toMatchObject({ exit: 7, err: expect.stringContaining('api-unreachable') });
    expect(outcome.err).toContain('docs/on-call/app-down.md');
  });

  it('a redirect is not followed, so the key goes nowhere else', async () => {
    answer = (_, response) => response.writeHead(302, { location: `${url}/elsewhere` }).end();
    expect(await keyturn(['list'], seat())).toMatchObject({ exit: 7, err: expect.stringContaining('not-keyturn') });
    expect(requests).toHaveLength(1);
  });

  it('another server answers: 7', async () => {
    answer = (_, response) => response.writeHead(200).end('<html>welcome</html>');
    expect((await keyturn(['list'], seat())).exit).toBe(7);
    answer = (_, response) => response.writeHead(502).end('bad gateway');
    expect(await keyturn(['list'], seat())).toMatchObject({ exit: 7, err: expect.stringContaining('app-down') });
  });

  it('a broken connection: a rotation is asked for again with the same key, so it stays one', async () => {
    answer = (request, response) => {
      if (requests.length === 1) request.socket.destroy();
      else json(response, 202, running);
    };
    const outcome = await keyturn(['rotate', 'v/s', '-r', 'x', '--no-wait'], seat());
    expect(outcome.exit).toBe(0);
    const keys = requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^cli-/);
  });

  it('a request that may not be repeated is sent once', async () => {
    answer = (request) => request.socket.destroy();
    expect((await keyturn(['retire', 'v/s', '-r', 'x'], seat())).exit).toBe(7);
    expect(requests).toHaveLength(1);
  });

  it('several vaults: a bare name is refused with both names, VAULT/NAME and --vault are not', async () => {
    const reach = { reachable: true, ms: 1 };
    const vaults = ['one', 'two'].map((vault) => ({ vault, ...reach }));
    answer = ({ url = '' }, response) =>
      url.includes('/health/')
        ? json(response, 200, { status: 'healthy', version: '1', vaults, storage: reach })
        : json(response, 200, { attempts: [] });
    expect(await keyturn(['history', 's'], seat())).toMatchObject({
      exit: 2,
      err: expect.stringContaining('one, two'),
    });
    requests = [];
    expect((await keyturn(['history', 'two/s'], seat())).exit).toBe(0);
    expect((await keyturn(['history', 's', '--vault', 'two'], seat())).exit).toBe(0);
    const paths = requests.map(({ url }) => url);
    expect(paths).toEqual(Array(2).fill('/api/v1/vaults/two/secrets/s/history?limit=20'));
  });

  it('an answer that tries to steer the terminal is shown as text', async () => {
    const detail = 'x\x1b[2J\x1b]0;gone\x07y';
    const problem = { code: 'blocked\x1b[1m', detail, hint: 'a\rb', status: 409 };
    answer = (_, response) => json(response, 409, problem);
    const { err } = await keyturn(['list'], seat());
    expect([...err].some((character) => character < ' ' && character !== '\n')).toBe(false);
  });

  it('Ctrl-C while it follows a rotation: 130, and the rotation is not touched', async () => {
    answer = (_, response) => json(response, 202, running);
    let told = false;
    const outcome = await child(process.execPath, [launcher, 'rotate', 'v/s', '-r', 'x'], {
      env: { KEYTURN_URL: url, KEYTURN_KEY: key },
      onOutput: (text, kill) => {
        if (!told && text.includes('rotation aaaa')) {
          told = true;
          kill('SIGINT');
        }
      },
    });
    expect(outcome).toMatchObject({ exit: 130, err: expect.stringContaining('goes on by itself') });
    expect(requests.filter(({ method }) => method !== 'GET')).toHaveLength(1);
  });
});

describe('the command line', () => {
  it.each([
    [['rotat'], 'rotate'],
    [['list', '--stat', 'due'], 'list --help'],
    [['show'], 'takes NAME'],
    [['show', 'a', 'b'], 'got a b'],
    [['show', '../../freeze'], 'not the name of a secret'],
    [['rotate', '-r', 'x'], 'what to rotate'],
    [['rotate', 'v/s', '--state', 'due', '-r', 'x'], 'names and a selector'],
    [['rotate', '--tag', 'colour', '--confirm', '1', '-r', 'x'], 'NAME=VALUE'],
    [['rotate', '--state', 'due', '--force', '-r', 'x'], '--force takes names'],
    [['rotation', 'abc'], 'id of a rotation'],
    [['completion', 'tcsh'], 'bash, zsh, fish'],
  ])('%j is refused with 2 and says what is meant', async (words, says) => {
    const outcome = await keyturn(words, { env: { KEYTURN_URL: url, KEYTURN_KEY: key } });
    expect(outcome).toMatchObject({ exit: 2, out: '' });
    expect(outcome.err).toContain(says);
    expect(requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('help of every command names its options and examples, without an address or a key', async () => {
    const general = await keyturn(['help']);
    const names = [...general.out.matchAll(/^ {2}([a-z]+),? /gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(14);
    for (const name of names) {
      const { exit, out } = await keyturn([name, '--help'], { columns: 80 });
      expect({ name, exit }).toEqual({ name, exit: 0 });
      expect(out).toContain(`keyturn ${name}`);
      expect(out).toContain('--json');
    }
  });

  it('as a process: --version, exit codes, no colours into a pipe', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(await child(launcher, ['--version'])).toMatchObject({ exit: 0, out: `${version}\n` });
    const wrong = await child(launcher, ['nonsense']);
    expect(wrong.exit).toBe(2);
    expect(wrong.out + wrong.err).not.toContain('\x1b');
  });

  it('docs/cli.md has every command and every exit code', async () => {
    const page = await readFile(join(root, 'docs/cli.md'), 'utf8');
    const { out } = await keyturn(['help']);
    const names = [...out.matchAll(/^ {2}([a-z]+),? /gm)].map(([, name = '']) => name);
    expect(names.filter((name) => !page.includes(`\`keyturn ${name}`))).toEqual([]);
    const rows = Object.values(exitCodes).filter(({ code, meaning }) => !page.includes(`| ${code} | ${meaning} |`));
    expect(rows).toEqual([]);
  });
});

describe('completion', () => {
  it('bash completes commands, options and known values', async () => {
    const { out } = await keyturn(['completion', 'bash']);
    const ask = async (line: string) => {
      const words = line.split(' ');
      const script = `${out}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _keyturn; echo "\${COMPREPLY[@]}"`;
      const { out: reply, exit } = await child('bash', ['-c', script]);
      expect(exit).toBe(0);
      return reply.trim().split(' ');
    };
    expect(await ask('keyturn ro')).toEqual(['rotation', 'rotate', 'rollback']);
    expect(await ask('keyturn rotate --con')).toEqual(['--confirm']);
    expect(await ask('keyturn list --state p')).toEqual(['paused']);
    expect(await ask('keyturn completion f')).toEqual(['fish']);
    expect(await ask('keyturn ls -o t')).toEqual(['table', 'tsv']);
    expect(await ask('keyturn ls --sta')).toEqual(['--state']);
  });

  it.each(['zsh', 'fish'])('%s has every command', async (shell) => {
    const { out } = await keyturn(['completion', shell]);
    const { out: help } = await keyturn(['help']);
    const names = [...help.matchAll(/^ {2}([a-z]+),? /gm)].map(([, name = '']) => name);
    expect(names.filter((name) => !out.includes(name))).toEqual([]);
    expect((out.match(/'/g) ?? []).length % 2, 'quotes are closed').toBe(0);
  });
});
