/** The process around a run: signals, the terminal, the exit code. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { exitCodes } from './exit-codes.ts';
import { run } from './run.ts';
import { processTerminal } from './terminal/terminal.ts';

async function version(): Promise<string> {
  const manifest = z.object({ version: z.string() });
  return manifest.parse(JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))).version;
}

/** Runs what stands on the command line, and sets the exit code of the process. */
export async function main(): Promise<void> {
  const ended = new AbortController();
  process.once('SIGINT', () => ended.abort());
  process.once('SIGTERM', () => ended.abort());
  // Whoever reads us, like head, may have had enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(exitCodes.ok.code);
  });
  const terminal = processTerminal(process.env, ended.signal);
  const exit = await run(process.argv.slice(2), { terminal, env: process.env, signal: ended.signal, version });
  process.exitCode = exitCodes[exit].code;
}
