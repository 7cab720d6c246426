/** The package as an application gets it: installed into a folder of its own, with nothing around it but what it asks for. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsumer } from '../../build.ts';
import { findSecrets } from '../canary.ts';
import { canary, vaultWith } from './helpers.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consumer-package-'));
  await buildConsumer(join(folder, 'built'));
  await cp(join(folder, 'built'), join(folder, 'node_modules', 'keyturn'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Gives the folder a package of this project. */
async function install(name: string): Promise<void> {
  const target = join(folder, 'node_modules', name);
  await mkdir(dirname(target), { recursive: true });
  await symlink(join(root, 'node_modules', name), target);
}

/** Runs a module in the folder until the process ends by itself. */
async function node(name: string, text: string, ...args: readonly string[]): Promise<string> {
  await writeFile(join(folder, name), text);
  const { stdout } = await run(process.execPath, [join(folder, name), ...args], { cwd: folder, timeout: 20_000 });
  return stdout.trim();
}

describe('the package keyturn/consumer', () => {
  it('loads where nothing else is installed', async () => {
    const names = await node('names.js', `console.log(Object.keys(await import('keyturn/consumer')).join())`);
    expect(names.split(',')).toEqual(expect.arrayContaining(['watchSecret', 'rotatingPgPool', 'webhookReceiver']));
  });

  it('a process that watches a secret ends by itself, closed or not, also while the vault is away', async () => {
    const value = canary('value');
    const { vault, name } = await vaultWith(value);
    const script = `
      import { watchSecret } from 'keyturn/consumer';
      const [url, name, end] = process.argv.slice(2);
      const getSecret = async () => {
        const response = await fetch(\`\${url}/secrets/\${name}/?api-version=7.5\`, { headers: { authorization: 'Bearer any', connection: 'close' } });
        const { value, id } = await response.json();
        return { value, properties: { version: id.split('/').at(-1) } };
      };
      let calls = 0;
      const client = { getSecret: () => (calls++ === 0 ? getSecret() : Promise.reject(new Error('away'))) };
      const secret = await watchSecret({ client, name, vault: 'local', refreshIntervalMs: 5,
        acknowledge: { api: 'http://127.0.0.1:9/api', key: 'k' } });
      void secret.acknowledge();
      await secret.refresh();
      if (end === 'close') await secret.close();
      console.log('ready', secret, JSON.stringify(secret.current));`;
    for (const end of ['close', 'leave']) {
      const output = await node('watch.js', script, vault.url, name, end);
      expect(output).toContain('ready');
      expect(findSecrets(output, [value])).toEqual([]);
    }
  });

  it('the examples of its page compile against its types', async () => {
    for (const name of ['pg', '@types/pg', '@types/node', 'mssql', '@types/mssql', 'mysql2', 'ioredis', '@azure']) {
      await install(name);
    }
    const page = await readFile(join(root, 'consumer', 'README.md'), 'utf8');
    const examples = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1] ?? '');
    expect(examples.length).toBeGreaterThan(4);
    await mkdir(join(folder, 'examples'));
    for (const [index, text] of examples.entries()) {
      await writeFile(join(folder, 'examples', `example-${index}.ts`), `${text}\nexport {};\n`);
    }
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['examples'] }));
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const compiled = await run(process.execPath, [compiler, '-p', folder]).catch((error: unknown) => error);
    expect(Reflect.get(Object(compiled), 'stdout')).toBe('');
  });

  it('its page names every code of its errors', async () => {
    const [page, source] = await Promise.all(
      ['README.md', 'errors.ts'].map((name) => readFile(join(root, 'consumer', name), 'utf8')),
    );
    const codes = [...(source ?? '').matchAll(/^ {2}\| '([a-z-]+)'/gm)].map((match) => match[1]);
    expect(codes.length).toBeGreaterThan(9);
    for (const code of codes) expect(page, code).toContain(`| \`${code}\` |`);
  });
});
