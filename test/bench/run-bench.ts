/** Runs the command `npm run bench` as a person does, but for npm. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runBench(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1;
      resolve({ code, stdout, stderr });
    });
  });
}

const cases = z.array(z.looseObject({ name: z.string() }));

/** The cases of a quick run. Throws with what was printed where the bench failed or printed anything besides. */
export async function quickCases(name: string, ...args: readonly string[]): Promise<z.infer<typeof cases>> {
  const { code, stdout, stderr } = await runBench(name, '--quick', '--json', ...args);
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${stderr}`);
  return cases.parse(JSON.parse(stdout));
}
