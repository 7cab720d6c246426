/** What the runbooks make of answers that are no success: the same in each of them, on a server that answers by a script. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { programFolders } from '../../local/programs.ts';
import { child, type Outcome } from '../cli/harness.ts';
import { root } from '../tidy/files.ts';
import { begun, cases, failure, json, play, rotation, settings, words } from './cases.ts';

const runbooks = {
  python: ['python3', join(root, 'runbooks/rotate_secret.py')],
  shell: ['sh', join(root, 'runbooks/rotate-secret.sh')],
} as const;

describe.each(Object.entries(runbooks))('the %s runbook', (_, [command, file]) => {
  it.concurrent.each(cases)('%s', { timeout: 60_000 }, async (_, answers, exit, said) => {
    const { url, keys, close } = await play(answers);
    const outcome = await child(command, [file, ...words], { env: settings(url) });
    await close();
    expect(outcome, `${outcome.out}${outcome.err}`).toMatchObject({ exit });
    expect(outcome.out + outcome.err).toContain(said);
    expect(new Set(keys).size, 'keys of one request').toBe(1);
  });

  it('Ctrl-C ends it with 130, and it says that the rotation goes on', { timeout: 60_000 }, async () => {
    const { url, close } = await play([begun]);
    const started = spawn(command, [file, ...words], { env: { PATH: process.env['PATH'], ...settings(url) } });
    let text = '';
    const exit = await new Promise<number | null>((resolve) => {
      const read = (chunk: Buffer): void => {
        text += chunk.toString();
        if (text.includes('running') && !started.killed) started.kill('SIGINT');
      };
      started.stdout.on('data', read);
      started.stderr.on('data', read);
      started.on('close', resolve);
    });
    await close();
    expect({ exit, text }).toMatchObject({ exit: 130, text: expect.stringContaining('goes on by itself') });
  });
});

/** The interpreter itself: what stands on the path may be a script that finds it. */
const python = (): string =>
  execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

describe('the shell runbook reads JSON', () => {
  /** A PATH without the parsers that are not named. */
  async function withParsers(names: readonly string[], url: string): Promise<Outcome> {
    const folder = await mkdtemp(join(tmpdir(), 'keyturn-parsers-'));
    await mkdir(join(folder, 'bin'));
    const tools = ['sh', 'curl', 'grep', 'sed', 'tr', 'tail', 'head', 'od', 'date', 'sleep', ...names];
    for (const name of tools) {
      const at =
        name === 'python3'
          ? python()
          : programFolders()
              .map((one) => join(one, name))
              .find(existsSync);
      if (at !== undefined) await symlink(at, join(folder, 'bin', name));
    }
    try {
      return await child('sh', [runbooks.shell[1], ...words], { env: { ...settings(url), PATH: join(folder, 'bin') } });
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it.each(['jq', 'python3', 'perl'])('with %s alone', { timeout: 60_000 }, async (parser) => {
    const quoted = { ...failure, message: 'the "admin" is\nrefused \\ ü' };
    const { url, close } = await play([json(200, rotation('failed', { failure: quoted }))]);
    const outcome = await withParsers([parser], url);
    await close();
    expect(outcome).toMatchObject({ exit: 1 });
    expect(outcome.err).toContain('admin-refused: the "admin" is refused \\ ü Do: store another');
  });

  it('with none of them says what is missing, and asks for nothing', async () => {
    const { url, keys, close } = await play([begun]);
    const outcome = await withParsers([], url);
    await close();
    expect(outcome).toMatchObject({ exit: 2, err: expect.stringContaining('jq, python3 or perl') });
    expect(keys).toEqual([]);
  });
});
