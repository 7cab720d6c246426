import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { ServerNotStarted, startGuarded } from '../../local/guarded-child.ts';

const guarded = new URL('../../local/guarded-child.ts', import.meta.url).href;

// Node itself is the server, so that this holds on every machine.
const server = `require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log('port', this.address().port); });`;

test('a server and its folder are gone when the process that started them is killed outright', async () => {
  const script = `
    const { guardedFolder, startGuarded } = await import(${JSON.stringify(guarded)});
    const folder = await guardedFolder('kill');
    const args = ['-e', ${JSON.stringify(server)}];
    const child = await startGuarded({ command: process.execPath, args, package: 'nodejs', ready: /port [0-9]+/ });
    console.log(JSON.stringify({ port: Number(/port ([0-9]+)/.exec(child.output())[1]), folder: folder.path }));
    setInterval(() => undefined, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await new Promise<string>((resolve, reject) => {
    parent.stdout.once('data', (data) => resolve(String(data)));
    parent.once('exit', (code) => reject(new Error(`the owner ended with ${code} before its server was up`)));
  });
  const { port, folder } = JSON.parse(said);
  expect(await answers(port)).toBe(true);
  expect(existsSync(folder)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => answers(port), { timeout: 5_000 }).toBe(false);
  await expect.poll(() => existsSync(folder), { timeout: 5_000 }).toBe(false);
});

test('a server that is not installed is an error that names its package', async () => {
  const missing = startGuarded({ command: 'no-such-server', args: [], package: 'no-such-package', ready: /never/ });
  await expect(missing).rejects.toThrow(/no-such-server was not found.*apt-get install .*no-such-package/);
});

test('a server that stops before it is ready is an error with what it printed', async () => {
  const args = ['-c', 'echo the port is taken; exit 3'];
  const failing = startGuarded({ command: '/bin/sh', args, package: 'dash', ready: /never/ });
  await expect(failing).rejects.toThrow(ServerNotStarted);
  await expect(failing).rejects.toThrow(/the port is taken/);
});

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
