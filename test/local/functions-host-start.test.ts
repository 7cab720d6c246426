import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { type FunctionsHost, startFunctionsHost } from '../../local/functions-host/index.ts';
import { fixtureFolder, fixtureSettings, logged, saying, startFixture } from './functions-app.ts';

let azurite: Azurite;
let host: FunctionsHost | undefined;
const folders: string[] = [];

beforeAll(async () => {
  azurite = await startAzurite();
});
afterEach(async () => {
  await host?.close();
  host = undefined;
});
afterAll(async () => {
  await azurite?.close();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

/** A folder as it would be deployed: one ESM bundle, nothing installed beside it. */
async function bundled(banner: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-bundle-'));
  folders.push(folder);
  await build({
    entryPoints: [join(fixtureFolder, 'main.ts')],
    outfile: join(folder, 'main.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@azure/functions-core'],
    banner: { js: banner },
    logLevel: 'error',
  });
  await cp(join(fixtureFolder, 'host.json'), join(folder, 'host.json'));
  const manifest: Record<string, unknown> = JSON.parse(await readFile(join(fixtureFolder, 'package.json'), 'utf8'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, main: 'main.js' }));
  return folder;
}

const requireBanner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

test('an app bundled as ESM with the core module left out registers the same functions as its source', async () => {
  const source = await startFixture(azurite.connectionString);
  await source.close();
  const folder = await bundled(requireBanner);
  host = await startFunctionsHost({ folder, settings: fixtureSettings(azurite.connectionString) });
  expect(host.functions).toEqual(source.functions);
  expect((await fetch(`${host.url}/api/orders/7`)).status).toBe(200);
});

test('a bundle that cannot require the core module registers nothing', async () => {
  const folder = await bundled('');
  host = await startFunctionsHost({ folder, settings: fixtureSettings(azurite.connectionString) });
  expect(host.functions).toEqual([]);
});

const refusal = 'Worker was unable to load entry point "main.ts": Settings are wrong: VAULTS is missing';

test('an app that throws while loading registers nothing, says why at information, and is answered for with 404', async () => {
  host = await startFixture(azurite.connectionString, { settings: { REFUSE_TO_START: 'VAULTS is missing' } });
  expect(host.functions).toEqual([]);
  const levels = host.logs().filter(saying(refusal));
  expect(levels).toMatchObject([{ level: 'information', category: 'console' }]);
  expect(host.logs().some(saying('0 functions found'))).toBe(true);
  for (const path of ['/api/echo', '/api/absent']) {
    const answer = await fetch(`${host.url}${path}`);
    expect([answer.status, await answer.text()]).toEqual([404, '']);
  }
  expect((await fetch(host.url)).status).toBe(200);
});

test('one that has registered a function before says it at error level too', async () => {
  const settings = { REFUSE_TO_START: 'VAULTS is missing', REFUSE_LATE: 'yes' };
  host = await startFixture(azurite.connectionString, { settings });
  expect(host.logs().filter(saying(refusal))).toMatchObject([{ level: 'information' }, { level: 'error' }]);
});

test.each([
  [
    { TICK_SCHEDULE: '0 0 25 * * *' },
    "The 'tick' function is in error: The schedule expression '0 0 25 * * *' was not recognized",
  ],
  [{ TICK_SCHEDULE: '0 0 L * * *' }, "The 'tick' function is in error"],
  [{ WORK_QUEUE: 'a_b' }, 'The \'work\' function is in error: The queue name "a_b" is not valid'],
  [{ AzureWebJobsStorage: '' }, "'AzureWebJobsStorage' does not exist"],
])('the setting %o makes the start fail and names the function', async (settings, message) => {
  await expect(startFixture(azurite.connectionString, { settings })).rejects.toThrow(message);
});

test('settings that begin with AzureFunctionsJobHost go before host.json, and are checked like it', async () => {
  const name = 'AzureFunctionsJobHost__extensions__http__routePrefix';
  host = await startFixture(azurite.connectionString, { settings: { [name]: 'other' } });
  expect((await fetch(`${host.url}/other/echo`)).status).toBe(200);
  expect((await fetch(`${host.url}/api/echo`)).status).toBe(404);
  const tooMany = { AzureFunctionsJobHost__extensions__queues__batchSize: '33' };
  await expect(startFixture(azurite.connectionString, { settings: tooMany })).rejects.toThrow('batchSize');
});

test('a setting that a binding refers to and that is missing makes the start fail', async () => {
  const { TICK_SCHEDULE: _, ...settings } = fixtureSettings(azurite.connectionString);
  const start = startFunctionsHost({ folder: fixtureFolder, settings });
  await expect(start).rejects.toThrow(
    "The 'tick' function is in error: '%TICK_SCHEDULE%' does not resolve to a value.",
  );
});

test('the app sees its settings and PATH, and nothing of the environment the host was started from', async () => {
  process.env['REFUSE_TO_START'] = 'seen by the app';
  try {
    host = await startFixture(azurite.connectionString);
  } finally {
    delete process.env['REFUSE_TO_START'];
  }
  expect((await fetch(`${host.url}/api/echo`)).status).toBe(200);
});

test('start and terminate hooks run, and no process is left when the host is closed', async () => {
  const started = await startFixture(azurite.connectionString, { instances: 2 });
  await logged(started, saying('app starts'), 2);
  await started.close();
  await logged(started, saying('app terminates'), 2);
  expect(started.instances.map((instance) => instance.alive())).toEqual([false, false]);
  await expect(fetch(started.url)).rejects.toThrow();
});

test('after one of two instances was killed the address still answers', async () => {
  host = await startFixture(azurite.connectionString, { instances: 2 });
  await host.kill(0);
  const answers = await Promise.all([1, 2, 3].map(() => fetch(`${host?.url}/api/echo`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
});

test('a request to an instance that dies over it is answered with 502, and a dead process is reported', async () => {
  host = await startFixture(azurite.connectionString);
  const killed = fetch(`${host.url}/api/hangs`);
  await logged(host, saying('hanging'));
  await host.kill(0);
  expect((await killed).status).toBe(502);
  expect((await fetch(`${host.url}/api/echo`)).status).toBe(503);
  await host.add();
  expect((await fetch(`${host.url}/api/crashes`)).status).toBe(502);
  const [record] = await logged(host, ({ level }) => level === 'critical');
  expect(record).toMatchObject({ instance: 1, message: "The app's process ended by itself (1)." });
  expect(host.logs().some(saying('thrown outside of any function'))).toBe(true);
});

test('when the process that started them is killed outright, neither instances nor storage are left over', async () => {
  const owner = spawn(process.execPath, [fileURLToPath(new URL('../fixtures/start-local.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(owner.stdout, 'data');
  const { pid, blobUrl }: { pid: number; blobUrl: string } = JSON.parse(String(line));
  process.kill(pid, 0);
  owner.kill('SIGKILL');
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
  await expect
    .poll(
      () =>
        fetch(blobUrl).then(
          () => 'answers',
          () => 'gone',
        ),
      { timeout: 10_000 },
    )
    .toBe('gone');
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
