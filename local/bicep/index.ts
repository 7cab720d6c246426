/** The real Bicep compiler, for the templates in infra/. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bicepProgram } from './files.ts';

/** What it printed. A finding of the linter stands in `errors` while the exit code is 0. */
export interface Said {
  readonly output: string;
  readonly errors: string;
}

/** Runs it. Rejects where it is not there or ends with another code than 0; the message holds what it said. */
export async function bicep(...args: readonly string[]): Promise<Said> {
  const program = bicepProgram();
  if (program === undefined) throw new Error('Bicep is not there. Run: npm run fetch:bicep');
  // The machine of a colleague may speak another language, which would be another output.
  const env = { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' };
  const { stdout, stderr } = await promisify(execFile)(program, [...args], { maxBuffer: 64 * 1024 * 1024, env });
  return { output: stdout, errors: stderr };
}
