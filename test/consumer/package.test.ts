/** The package as an application gets it: installed into a folder of its own, with nothing around it but what it asks for. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packConsumer } from '../../release/package.ts';
import { findSecrets } from '../canary.ts';
import { canary, vaultWith } from './helpers.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consumer-package-'));
  const packed = await packConsumer(folder);
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', packed], { cwd: folder });
}, 120_000);

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

/** What the compiler says of these files, as an application sets it that hides nothing. */
async function compiled(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(join(folder, name));
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, name, file), text);
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
  };
  await writeFile(join(folder, name, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['.'] }));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const ended: unknown = await run(process.execPath, [compiler, '-p', join(folder, name)]).catch(
    (error: unknown) => error,
  );
  return String(Reflect.get(Object(ended), 'stdout'));
}

describe('the package @keyturn/consumer', () => {
  it('is installed from its tarball alone, and brings nothing along', async () => {
    const names = (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
    expect(names).toEqual(['@keyturn']);
    const own = await readdir(join(folder, 'node_modules', '@keyturn', 'consumer'), { recursive: true });
    expect(own).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'index.js', 'index.d.ts', 'pg.js', 'pg.d.ts']));
    expect(own.filter((name) => /(?<!\.d)\.ts$|test/.test(name))).toEqual([]);
  });

  it('loads where nothing else is installed, each entry', async () => {
    const script = `
      const names = async (entry) => Object.keys(await import('@keyturn/consumer' + entry));
      console.log((await Promise.all(['', '/pg', '/mysql2', '/mssql', '/ioredis'].map(names))).flat().join());`;
    const names = (await node('names.js', script)).split(',');
    const pools = ['rotatingPgPool', 'rotatingMysqlPool', 'rotatingMssqlPool', 'rotatingRedis'];
    expect(names).toEqual(expect.arrayContaining(['watchSecret', 'webhookReceiver', ...pools]));
  });

  it.each([
    ['pg', 'rotatingPgPool'],
    ['mysql2', 'rotatingMysqlPool'],
    ['mssql', 'rotatingMssqlPool'],
    ['ioredis', 'rotatingRedis'],
  ])('%s that is not installed is named, as an error of this client', async (driver, pool) => {
    const script = `
      import { ConsumerError } from '@keyturn/consumer';
      import { ${pool} } from '@keyturn/consumer/${driver}';
      const error = await ${pool}({}).catch((error) => error);
      console.log(error instanceof ConsumerError, error.code, error.message);`;
    const said = await node(`missing-${driver}.js`, script);
    expect(said).toBe(`true options the package ${driver} is not installed; run: npm install ${driver}`);
  });

  it('an application without any driver compiles, strictly and without skipLibCheck', async () => {
    await install('@types/node');
    const text = `import { type WatchedSecret, watchSecret } from '@keyturn/consumer';\nexport type { WatchedSecret };\nexport const start = watchSecret;\n`;
    expect(await compiled('bare', { 'bare.ts': text })).toBe('');
  });

  it('an application with one driver compiles, strictly and without skipLibCheck', async () => {
    for (const name of ['pg', '@types/pg', 'pg-protocol', 'pg-types']) await install(name);
    const text = `import { rotatingPgPool } from '@keyturn/consumer/pg';\nexport const start = rotatingPgPool;\n`;
    expect(await compiled('one', { 'one.ts': text })).toBe('');
  });

  it('a process that watches a secret ends by itself, closed or not, also while the vault is away', async () => {
    const value = canary('value');
    const { vault, name } = await vaultWith(value);
    const script = `
      import { watchSecret } from '@keyturn/consumer';
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

  it('the examples of its page compile, strictly and without skipLibCheck', async () => {
    for (const name of ['mssql', '@types/mssql', 'mysql2', 'ioredis', '@azure']) await install(name);
    const page = await readFile(join(root, 'consumer', 'README.md'), 'utf8');
    const examples = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1] ?? '');
    expect(examples.length).toBeGreaterThan(4);
    const files = examples.map((text, index) => [`example-${index}.ts`, `${text}\nexport {};\n`]);
    expect(await compiled('examples', Object.fromEntries(files))).toBe('');
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
