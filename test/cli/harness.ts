/** Runs the CLI as a person or a script would: on a terminal of a given width, or into a pipe. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { exitCodes } from '../../cli/exit-codes.ts';
import { run } from '../../cli/run.ts';
import type { Terminal } from '../../cli/terminal/terminal.ts';

export interface Outcome {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export interface Seat {
  readonly env?: Readonly<Record<string, string>>;
  /** Width of the terminal; absent: the output goes into a pipe. */
  readonly columns?: number;
  /** What is typed when the CLI asks, in order. Absent: nobody is there. */
  readonly types?: readonly string[];
  readonly signal?: AbortSignal;
  /** What comes on standard input. */
  readonly input?: string;
}

/** Colours are on whenever there is a terminal, so that tests see them. */
export async function keyturn(words: readonly string[], seat: Seat = {}): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const typed = [...(seat.types ?? [])];
  const isTerminal = seat.columns !== undefined;
  const terminal: Terminal = {
    out: (line) => out.push(line),
    write: (text) => out.push(text),
    err: (line) => err.push(line),
    live: () => undefined,
    columns: seat.columns,
    colour: { out: isTerminal, err: isTerminal },
    ask: async (question) => {
      err.push(question);
      return typed.shift();
    },
    input: async () => seat.input,
  };
  const exit = await run(words, {
    terminal,
    env: seat.env ?? {},
    signal: seat.signal ?? new AbortController().signal,
    version: async () => '0.0.0',
  });
  return { exit: exitCodes[exit].code, out: out.join('\n'), err: err.join('\n') };
}

export const launcher = fileURLToPath(new URL('../../cli/keyturn.js', import.meta.url));

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called with what was written so far. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** A process of its own, with an environment that holds nothing but PATH and what is given. */
export async function child(
  command: string,
  words: readonly string[],
  { env = {}, cwd, onOutput }: ChildOptions = {},
): Promise<Outcome> {
  const started = spawn(command, words, {
    env: { PATH: process.env['PATH'], ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  started.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    onOutput?.(out + err, (signal) => started.kill(signal));
  });
  started.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    onOutput?.(out + err, (signal) => started.kill(signal));
  });
  const exit = await new Promise<number>((resolve, reject) => {
    started.on('error', reject);
    started.on('close', (code) => resolve(code ?? -1));
  });
  return { exit, out, err };
}
