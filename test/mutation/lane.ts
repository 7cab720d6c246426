/** A copy of the project in which one mutant after the other is tried, so that the work tree is never changed. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../tidy/files.ts';

/** A file of the project with another text. */
export interface Changed {
  readonly file: string;
  readonly text: string;
}

export type Outcome =
  /** By what; `test` is the file, where it was a test. */
  | { readonly kind: 'killed'; readonly by: string; readonly test?: string }
  | { readonly kind: 'survived' }
  /** The tests ended without a verdict; `said` is what they printed. */
  | { readonly kind: 'broken'; readonly said: string };

export interface Lane {
  readonly folder: string;
  /** Runs the tests on the project with this change, or without one. One call at a time. */
  try(change: Changed | undefined, tests: readonly string[]): Promise<Outcome>;
  /** Whether the compiler takes the project with this change. One call at a time. */
  compiles(change: Changed): Promise<boolean>;
  close(): Promise<void>;
}

const leftBehind = /(^|\/)(node_modules|\.git|\.local|dist)$/;

// A name that is used no more is what a mutant leaves behind, not what its author would have.
const unused = ['--noUnusedLocals', 'false', '--noUnusedParameters', 'false'];
const compiler = [
  'node_modules/typescript/bin/tsc',
  ...unused,
  '--incremental',
  '--tsBuildInfoFile',
  '.mutation.tsbuildinfo',
];

/** Longest time of one mutant's tests, in ms. What loops without end is noticed by nothing else. */
const limitMs = 180_000;

export async function openLane(): Promise<Lane> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-mutate-'));
  await cp(root, folder, { recursive: true, filter: (path) => !leftBehind.test(path.replace(/\/$/, '')) });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const removeNow = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeNow);
  const changed = async <T>(change: Changed | undefined, work: () => Promise<T>): Promise<T> => {
    if (change === undefined) return work();
    const path = join(folder, change.file);
    const before = await readFile(path, 'utf8');
    await writeFile(path, change.text);
    try {
      return await work();
    } finally {
      await writeFile(path, before);
    }
  };
  return {
    folder,
    try: (change, tests) => changed(change, () => runTests(folder, tests)),
    compiles: (change) =>
      changed(change, async () => {
        const { code } = await run(folder, compiler, {});
        return code === 0;
      }),
    close: async () => {
      process.off('exit', removeNow);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function runTests(folder: string, tests: readonly string[]): Promise<Outcome> {
  const report = join(folder, 'mutation-report.json');
  await rm(report, { force: true });
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/mutation/vitest.config.ts'];
  const env = { MUTATION_TESTS: tests.join(','), TEST_REPORT: report };
  const { code, said } = await run(folder, args, env);
  if (code === 'too slow') return { kind: 'killed', by: `nothing ended within ${limitMs / 1000} s` };
  const read = await readReport(report);
  if (read === undefined) return { kind: 'broken', said };
  const failed = read.testResults.find(({ status }) => status === 'failed');
  if (failed !== undefined) {
    const test = failed.name.slice(folder.length + 1);
    const claim = failed.assertionResults.find(({ status }) => status === 'failed');
    return { kind: 'killed', by: claim?.fullName ?? `${test} does not load`, test };
  }
  return code === 0 ? { kind: 'survived' } : { kind: 'broken', said };
}

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
    }),
  ),
});

async function readReport(path: string): Promise<z.infer<typeof reportSchema> | undefined> {
  try {
    return reportSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

interface Ended {
  readonly code: number | 'too slow';
  readonly said: string;
}

async function run(cwd: string, args: readonly string[], more: Readonly<Record<string, string>>): Promise<Ended> {
  const { CI: _, ...env } = process.env;
  // A group of its own, so that whatever hangs ends with all it started.
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'too slow'>((resolve) => {
    timer = setTimeout(() => resolve('too slow'), limitMs);
  });
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', end);
  const code = await Promise.race([ended, late]);
  clearTimeout(timer);
  process.off('exit', end);
  if (code === 'too slow') {
    end();
    await ended;
  }
  return { code, said };
}
