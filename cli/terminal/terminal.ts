/** Where a command writes and whom it may ask. */
import { createInterface } from 'node:readline/promises';
import { cut } from './text.ts';

export interface Terminal {
  /** The result: standard output. */
  out(line: string): void;
  /** A result that is no line: written as it is, nothing added. */
  write(text: string): void;
  /** What a person reads beside it: standard error. */
  err(line: string): void;
  /** A line that replaces the one of before, where standard error is a terminal; nothing elsewhere. Empty: takes it away. */
  live(line: string): void;
  /** Width of the terminal; undefined where the output goes elsewhere and is not cut. */
  readonly columns: number | undefined;
  /** Whether standard output, and standard error, take colours. */
  readonly colour: { readonly out: boolean; readonly err: boolean };
  /** What a person answers; undefined where nobody can be asked. */
  ask(question: string): Promise<string | undefined>;
  /** All of standard input; undefined where that is a person at a terminal. */
  input(): Promise<string | undefined>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** https://no-color.org: set to anything but nothing it means none. */
function takesColours(isTerminal: boolean | undefined, env: Environment): boolean {
  return isTerminal === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

export function processTerminal(env: Environment, signal: AbortSignal): Terminal {
  const { stdin, stdout, stderr } = process;
  let shown = false;
  const clear = (): void => {
    if (shown) stderr.write('\r\x1b[K');
    shown = false;
  };
  return {
    columns: stdout.isTTY ? stdout.columns : undefined,
    colour: { out: takesColours(stdout.isTTY, env), err: takesColours(stderr.isTTY, env) },
    out: (line) => {
      clear();
      stdout.write(`${line}\n`);
    },
    write: (text) => {
      clear();
      stdout.write(text);
    },
    err: (line) => {
      clear();
      stderr.write(`${line}\n`);
    },
    live: (line) => {
      if (!stderr.isTTY || env['TERM'] === 'dumb') return;
      clear();
      if (line === '') return;
      stderr.write(cut(line, Math.max(10, (stderr.columns ?? 80) - 1)));
      shown = true;
    },
    ask: async (question) => {
      if (!stdin.isTTY || !stderr.isTTY) return undefined;
      clear();
      const reader = createInterface({ input: stdin, output: stderr });
      try {
        return await reader.question(question, { signal });
      } finally {
        reader.close();
      }
    },
    input: async () => {
      if (stdin.isTTY) return undefined;
      const parts: Buffer[] = [];
      for await (const part of stdin) parts.push(Buffer.from(part));
      return Buffer.concat(parts).toString('utf8');
    },
  };
}
