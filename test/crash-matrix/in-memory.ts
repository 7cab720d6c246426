/** `--memory`: the matrix of test/engine, on fakes, which also has two crashes in a row and workers that freeze. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../..', import.meta.url));
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

/** Runs it as the tests do, and ends with their code. */
export async function runInMemory(json: boolean): Promise<void> {
  const child = spawn(process.execPath, [vitest, 'run', 'test/engine/crash-matrix'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  const hear = (chunk: Buffer): void => {
    said.push(chunk.toString());
    if (!json) process.stderr.write(chunk);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const code = await new Promise<number>((resolve) => child.once('close', (ended) => resolve(ended ?? 1)));
  const points = Number(/crash matrix: (\d+) crash points/.exec(said.join(''))?.[1] ?? 0);
  const failed = code !== 0 || points === 0;
  // The tests of a strategy end at its first point that fails, so nobody knows how many others would.
  const summary = failed ? `${points} points, at least one did not recover` : `${points} points, ${points} recovered`;
  console.log(json ? JSON.stringify({ points, failed, summary }) : summary);
  process.exitCode = failed ? 1 : 0;
}
