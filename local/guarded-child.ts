/** Server processes for tests, the demo and daily work: never left over, whatever happens to the process that started them. */
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { programFolders } from './programs.ts';

// A small shell stands between us and the server and watches our end of a pipe. The kernel closes that end even when this process is
// killed outright, so no exit handler has to run for the server to go. The data is thrown away, hence no polite shutdown.
const guard = `
signal=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -$signal $server 2>/dev/null; } >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $server; code=$?
kill $watcher 2>/dev/null
exit $code
`;

export interface GuardedChild {
  /** Everything printed so far, both streams. */
  output(): string;
  /** Ends the server. May be called again. */
  stop(): Promise<void>;
}

export interface GuardedChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Debian package that has the command, named when the command is missing. */
  readonly package: string;
  /** Added to this process's environment for the server. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Printed by the server when it takes connections. */
  readonly ready: RegExp;
  /** Longest time until `ready`, in ms. */
  readonly startTimeoutMs?: number;
  /** What ends the server. Default `KILL`; another one for a server that has something of the kernel's to give back. */
  readonly endSignal?: 'KILL' | 'QUIT';
}

/** Thrown when a server did not come up; `output` is what it printed. */
export class ServerNotStarted extends Error {
  override readonly name = 'ServerNotStarted';
  readonly output: string;

  constructor(message: string, output: string) {
    super(output === '' ? message : `${message}\n${output.slice(-2000)}`);
    this.output = output;
  }
}

/** Starts a server and waits until it is ready. */
export async function startGuarded(options: GuardedChildOptions): Promise<GuardedChild> {
  // A session of its own, so that Ctrl-C in a terminal reaches only the process that owns the server.
  const shell = spawn(
    '/bin/sh',
    ['-c', guard, 'guard', options.endSignal ?? 'KILL', options.command, ...options.args],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...options.environment, PATH: programFolders().join(delimiter) },
    },
  );
  const printed: string[] = [];
  const collect = (stream: Readable) => stream.setEncoding('utf8').on('data', (text: string) => printed.push(text));
  collect(shell.stdout);
  collect(shell.stderr);
  // The pipe may be closed from the other side first; that is an end like any other.
  shell.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve) => shell.once('close', resolve));
  const output = () => printed.join('');
  const stop = async () => {
    shell.stdin.end();
    await ended;
  };
  const ready = waitFor(options.ready, output, [shell.stdout, shell.stderr]);
  const state = await Promise.race([
    ready.then(() => 'ready' as const),
    ended,
    timeout(options.startTimeoutMs ?? 30_000),
  ]);
  if (state === 'ready') return { output, stop };
  await stop();
  if (state === 127) {
    throw new ServerNotStarted(
      `${options.command} was not found. Install it: apt-get install --no-install-recommends ${options.package}`,
      '',
    );
  }
  throw new ServerNotStarted(`${options.command} did not start (${state ?? 'killed'})`, output());
}

// The server may still be writing when the owner was killed, so the removal is repeated until nothing is left.
const remover = 'cat >/dev/null; for n in 1 2 3 4 5 6 7 8 9; do rm -rf -- "$1"; [ -e "$1" ] || exit 0; sleep 0.2; done';

export interface GuardedFolder {
  readonly path: string;
  /** Removes it with all it holds. May be called again. */
  remove(): Promise<void>;
}

/** A fresh temporary folder that is gone when this process is, however it ends. */
export async function guardedFolder(name: string): Promise<GuardedFolder> {
  const path = await mkdtemp(join(tmpdir(), `keyturn-${name}-`));
  const shell = spawn('/bin/sh', ['-c', remover, 'remover', path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => shell.once('close', () => resolve()));
  return {
    path,
    remove: async () => {
      shell.stdin.end();
      await ended;
    },
  };
}

function waitFor(pattern: RegExp, output: () => string, streams: readonly Readable[]): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!pattern.test(output())) return;
      for (const stream of streams) stream.off('data', look);
      resolve();
    };
    for (const stream of streams) stream.on('data', look);
  });
}

function timeout(ms: number): Promise<'too slow'> {
  return new Promise((resolve) => setTimeout(() => resolve('too slow'), ms).unref());
}

/** A port of the loopback that is free now. Another process may take it before it is used: start again with another one then. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const probe = createServer().once('error', reject);
      probe.listen(0, '127.0.0.1', () => {
        const address = probe.address();
        probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
      });
    });
    if (port > 0) return port;
  }
}

/** Whether nobody holds this port of the loopback now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Starts on a free port, again with another when somebody else was quicker to take it. */
export async function onFreePort<Started>(start: (port: number) => Promise<Started>): Promise<Started> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = error instanceof ServerNotStarted && /address already in use|in use/i.test(error.output);
      if (!taken || attempt === 5) throw error;
    }
  }
}
