/** Profiles: where an app is and how it is called, by a name; and the names of its secrets while somebody types. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { child, keyturn, launcher } from './harness.ts';

interface App {
  readonly server: Server;
  readonly url: string;
  readonly asked: { readonly url: string; readonly key: unknown }[];
}

let folder: string;
let prod: App;
let staging: App;

const secret = (vault: string, name: string) => ({
  ...{ vault, secret: name, state: 'healthy', detail: '', enabled: true },
  ...{ createdAt: '2026-01-01T00:00:00Z', tags: {} },
});

/** Answers every request with the secrets that it serves. */
async function app(secrets: readonly ReturnType<typeof secret>[]): Promise<App> {
  const asked: { readonly url: string; readonly key: unknown }[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    asked.push({ url, key: headers['x-keyturn-key'] });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ secrets, warnings: [] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, url: `http://127.0.0.1:${address.port}`, asked };
}

beforeAll(async () => {
  prod = await app([secret('one', 'orders-db'), secret('two', 'orders-db'), secret('two', 'mail-key')]);
  staging = await app([secret('one', 'orders-db'), secret('one', 'billing-db')]);
});
afterAll(async () => {
  for (const { server } of [prod, staging]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-profiles-'));
  for (const { asked } of [prod, staging]) asked.length = 0;
  await run('config', 'set', 'prod', '--url', prod.url);
  await run('config', 'set', 'staging', '--url', staging.url, '--vault', 'one');
  return () => rm(folder, { recursive: true });
});

const env = (more: Readonly<Record<string, string>> = {}) => ({ XDG_CONFIG_HOME: folder, KEYTURN_KEY: 'k', ...more });
const run = (...words: readonly string[]) => keyturn(words, { env: env() });

describe('a profile', () => {
  it('is in use from the first one on, until another is chosen', async () => {
    await run('list');
    expect([prod.asked.length, staging.asked.length]).toEqual([1, 0]);
    await run('config', 'use', 'staging');
    await run('list');
    expect([prod.asked.length, staging.asked.length]).toEqual([1, 1]);
    expect(staging.asked[0]?.url).toContain('vault=one');
    expect((await run('config')).out).toMatch(/^\* +staging/m);
  });

  it('gives way to KEYTURN_URL and --url, and not where it is named on the command line', async () => {
    const elsewhere = { env: env({ KEYTURN_URL: staging.url }) };
    await keyturn(['list'], elsewhere);
    await keyturn(['list', '--url', staging.url], { env: env() });
    expect([prod.asked.length, staging.asked.length]).toEqual([0, 2]);
    await keyturn(['list', '--profile', 'prod'], elsewhere);
    await keyturn(['list'], { env: env({ KEYTURN_PROFILE: 'staging' }) });
    expect([prod.asked.length, staging.asked.length]).toEqual([1, 3]);
  });

  it('that names an audience is never called with the key of the environment', async () => {
    await run('config', 'set', 'by-az', '--url', prod.url, '--audience', 'api://keyturn');
    const outcome = await keyturn(['list', '--profile', 'by-az'], { env: env({ PATH: join(folder, 'nothing') }) });
    expect(outcome).toMatchObject({ exit: 4, err: expect.stringContaining('az login') });
    expect(prod.asked).toEqual([]);
  });

  it('keeps no key and no token, and its address is checked when it is set', async () => {
    const wrong = [
      ['config', 'set', 'x', '--url', prod.url, '--key', 'canary'],
      ['config', 'set', 'x', '--url', 'http://keyturn.example'],
      ['config', 'set', 'x', '--url', 'https://me:canary@keyturn.example'],
      ['config', 'set', 'x'],
      ['config', 'set'],
      ['config', 'forget', 'prod'],
      ['list', '--profile', 'prod', '--url', prod.url],
    ];
    for (const words of wrong) expect((await run(...words)).exit, words.join(' ')).toBe(2);
    const text = await readFile(join(folder, 'keyturn', 'config.json'), 'utf8');
    expect(text).not.toContain('canary');
    expect(Object.keys(JSON.parse(text).profiles)).toEqual(['prod', 'staging']);
  });

  it('that is not there is answered with the nearest, and a file that was broken is named', async () => {
    expect((await run('list', '--profile', 'stagign')).err).toContain('Did you mean "staging"?');
    await run('config', 'remove', 'staging');
    expect((await run('list', '--profile', 'staging')).exit).toBe(2);
    await writeFile(join(folder, 'keyturn', 'config.json'), '{');
    expect(await run('list')).toMatchObject({ exit: 2, err: expect.stringContaining('config.json') });
  });
});

describe('completion of names of secrets', () => {
  it('asks the app that the command line is about, and names the vault where there are several', async () => {
    expect((await run('__complete', 'show')).out.split('\n')).toEqual([
      'one/orders-db',
      'two/orders-db',
      'two/mail-key',
    ]);
    expect((await run('__complete', 'show', '--profile', 'staging')).out.split('\n')).toEqual([
      'orders-db',
      'billing-db',
    ]);
    expect((await run('__complete', 'rotate', '-r', 'x', '--url', staging.url)).out).toContain('billing-db');
  });

  it('says nothing where it cannot know', async () => {
    const nobody = await keyturn(['__complete', 'show'], { env: { XDG_CONFIG_HOME: join(folder, 'none') } });
    expect(nobody).toMatchObject({ out: '', err: '' });
    expect(await run('__complete', 'show', '--url', 'http://127.0.0.1:9')).toMatchObject({ out: '', err: '' });
  });

  it('bash offers them for commands that take a name, and for no other', { timeout: 30_000 }, async () => {
    await mkdir(join(folder, 'bin'));
    await symlink(launcher, join(folder, 'bin', 'keyturn'));
    const { out: script } = await run('completion', 'bash');
    const ask = async (line: string): Promise<readonly string[]> => {
      const words = line.split(' ').map((word) => `'${word}'`);
      const asked = `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _keyturn; echo "\${COMPREPLY[@]}"`;
      const { out } = await child('bash', ['-c', `${script}\n${asked}`], {
        env: env({ PATH: `${folder}/bin:${process.env['PATH'] ?? ''}`, KEYTURN_PROFILE: 'staging' }),
      });
      return out.trim().split(' ');
    };
    expect(await ask('keyturn show bil')).toEqual(['billing-db']);
    expect(await ask('keyturn rotate billing-db ')).toEqual(['orders-db', 'billing-db']);
    expect(await ask('keyturn show --o')).toEqual(['--output']);
    expect(await ask('keyturn freeze bil')).toEqual(['']);
  });
});
