/**
 * A shell that blocks are typed into, one after the other, so that variables and functions of one are there in the next. No terminal is
 * attached: what asks for a password reads its standard input.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A command that did not end with 0. */
export interface Ended {
  /** Of the block, from 1. */
  readonly line: number;
  readonly code: number;
}

export interface BlockRun {
  readonly out: string;
  readonly err: string;
  readonly ended: readonly Ended[];
}

export interface Shell {
  /** Runs a block with this standard input. Rejects when the shell itself ends, or when it takes longer than a minute. */
  run(text: string, input: string): Promise<BlockRun>;
  close(): Promise<void>;
}

const patienceMs = 60_000;

// Failures of a pipe's parts count; a function's own failure is reported where it is called.
const prologue = `set -u -o pipefail
exec 9>/dev/null
trap 'printf "%s %s\\n" "$LINENO" "$?" >&9' ERR
`;

export function startShell(folder: string, env: Readonly<Record<string, string>>, cwd: string): Shell {
  const child = spawn('bash', ['--noprofile', '--norc'], {
    env: { ...env },
    cwd,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.write(prologue);
  let count = 0;
  return {
    run: async (text, input) => {
      count += 1;
      const file = (name: string): string => join(folder, `${count}-${name}`);
      await writeFile(file('block'), `${text}\n`);
      await writeFile(file('in'), input);
      const word = createHash('sha256').update(file('end')).digest('hex');
      const over = sees(child, word);
      child.stdin.write(
        `source '${file('block')}' <'${file('in')}' >'${file('out')}' 2>'${file('err')}' 9>'${file('ended')}'\nprintf '%s\\n' ${word}\n`,
      );
      await over;
      const [out = '', err = '', ended = ''] = await Promise.all(
        ['out', 'err', 'ended'].map((name) => readFile(file(name), 'utf8')),
      );
      const failures = ended.split('\n').flatMap((line) => {
        const [at, code] = line.split(' ');
        return at === undefined || code === undefined ? [] : [{ line: Number(at), code: Number(code) }];
      });
      return { out, err, ended: failures };
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const closed = once(child, 'close');
      child.stdin.end('exit 0\n');
      await closed;
    },
  };
}

/** Resolves when the shell has written this word. */
function sees(child: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const settle = (done: () => void): void => {
      clearTimeout(timer);
      child.stdout?.off('data', onData);
      child.off('close', onClose);
      done();
    };
    const onData = (chunk: Buffer): void => {
      seen += chunk.toString();
      if (seen.includes(word)) settle(resolve);
    };
    const onClose = (): void => settle(() => reject(new Error('the shell ended in the middle of a block')));
    const timer = setTimeout(() => settle(() => reject(new Error('a block took too long'))), patienceMs);
    child.stdout?.on('data', onData);
    child.on('close', onClose);
  });
}
