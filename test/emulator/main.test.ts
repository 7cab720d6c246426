import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { readCommandLine } from '../../local/vault/main.ts';
import { vaultFor } from './helpers.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function run(...args: string[]) {
  const child = spawn(process.execPath, ['local/vault/main.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

/** All it printed, and its exit code. */
async function ended(child: ReturnType<typeof run>) {
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    texts.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    texts.stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { ...texts, code };
}

describe('npm run emulator', () => {
  test('prints its addresses as one line of JSON, answers there, and ends on Ctrl-C', async () => {
    const child = run('--port', '0', '--json', '--name', 'my-vault', '--limits', 'off');
    const [line] = await once(child.stdout, 'data');
    const { name, url, admin, certificate } = JSON.parse(String(line));
    expect({ name, certificate }).toEqual({
      name: 'my-vault',
      certificate: expect.stringContaining('BEGIN CERTIFICATE'),
    });
    const overview = await (await fetch(admin)).json();
    expect(overview).toMatchObject({ name: 'my-vault', secrets: 2, limits: { on: false } });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const end = ended(child);
    child.kill('SIGINT');
    expect(await end).toMatchObject({ code: 0, stderr: '' });
  });

  test('a taken port is named with a way out', async () => {
    const vault = await vaultFor();
    const { code, stderr } = await ended(run('--port', String(vault.port)));
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^Port ${vault.port} is taken`));
    expect(stderr).toContain(`--port ${vault.port + 1}`);
  });

  test.for<[string[], RegExp]>([
    [['--bogus'], /--bogus/],
    [['--port', 'high'], /--port must be a number from 0 to 65535, not "high"/],
    [['--port', '70000'], /65535/],
    [['--limits', 'some'], /--limits must be on or off/],
    [['stray'], /stray/],
  ])('%s is refused with a sentence', ([args, problem]) => {
    expect(readCommandLine(args)).toEqual({ kind: 'wrong', problem: expect.stringMatching(problem) });
  });

  test('--help is help, and no option gives the defaults', () => {
    expect(readCommandLine(['--help'])).toEqual({ kind: 'help' });
    expect(readCommandLine([])).toEqual({
      kind: 'settings',
      settings: { port: 8443, name: 'local', limitsOn: true, policies: {}, empty: false, json: false },
    });
  });
});
