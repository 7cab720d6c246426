/** The host's handle on one instance process. */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  type FunctionSummary,
  fromInstanceSchema,
  type InstanceConfig,
  type LogRecord,
  type ToInstance,
} from './messages.ts';

export interface InstanceProcess {
  readonly index: number;
  readonly pid: number;
  /** Its own port; the front end's is the one to use. */
  readonly port: number;
  readonly functions: readonly FunctionSummary[];
  alive(): boolean;
  /** Makes it the one that runs timers. */
  lead(): void;
  /** SIGKILL: nothing is released, nothing finishes. Resolves when the process is gone. May be called again. */
  kill(): Promise<void>;
  /** Lets running functions end and runs the app's terminate hooks. May be called again. */
  stop(): Promise<void>;
  readonly ended: Promise<void>;
}

/** Thrown when an app does not start; the message is the app's own. */
export class AppNotStarted extends Error {
  override readonly name = 'AppNotStarted';
}

const program = fileURLToPath(new URL('./instance/main.ts', import.meta.url));

/** Starts an instance whose environment is the settings and PATH, nothing of ours. */
export async function startInstance(
  config: InstanceConfig,
  settings: Readonly<Record<string, string>>,
  onLog: (record: LogRecord) => void,
): Promise<InstanceProcess> {
  const child = fork(program, {
    cwd: config.folder,
    env: { PATH: process.env['PATH'] ?? '', ...settings },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const printed = capture(child, config.instance, onLog);
  const ready = await waitForReady(child, ended, printed, config, onLog).catch(async (error: unknown) => {
    child.kill('SIGKILL');
    await ended;
    throw error;
  });
  let expected = false;
  ended.then(
    () => {
      if (expected) return;
      const message = `The app's process ended by itself (${child.signalCode ?? child.exitCode}).`;
      onLog({ time: new Date(), instance: config.instance, level: 'critical', category: 'system', message });
    },
    () => undefined,
  );
  const alive = () => child.exitCode === null && child.signalCode === null;
  const say = (message: ToInstance) => {
    if (child.connected) child.send(message);
  };
  return {
    ...{ index: config.instance, pid: child.pid ?? 0, port: ready.port, functions: ready.functions, alive, ended },
    lead: () => say({ kind: 'lead' }),
    kill: () => {
      expected = true;
      child.kill('SIGKILL');
      return ended;
    },
    stop: () => {
      expected = true;
      say({ kind: 'stop' });
      return ended;
    },
  };
}

function waitForReady(
  child: ChildProcess,
  ended: Promise<void>,
  printed: () => string,
  config: InstanceConfig,
  onLog: (record: LogRecord) => void,
): Promise<{ port: number; functions: readonly FunctionSummary[] }> {
  return new Promise((resolve, reject) => {
    child.on('message', (raw) => {
      const message = fromInstanceSchema.parse(raw);
      if (message.kind === 'log') onLog(message.record);
      else if (message.kind === 'ready') resolve(message);
      else reject(new AppNotStarted(message.message));
    });
    child.once('error', reject);
    ended.then(() => reject(new AppNotStarted(`The app ended while it was starting.\n${printed()}`)), reject);
    child.send({ kind: 'start', config } satisfies ToInstance);
  });
}

/** What the app prints becomes log records; the newest lines are kept to explain a start that failed. */
function capture(child: ChildProcess, instance: number, onLog: (record: LogRecord) => void): () => string {
  const kept: string[] = [];
  const read = (stream: Readable | null, level: 'information' | 'error') => {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (message) => {
      kept.push(message);
      kept.splice(0, kept.length - 50);
      onLog({ time: new Date(), instance, level, category: 'console', message });
    });
  };
  read(child.stdout, 'information');
  read(child.stderr, 'error');
  return () => kept.join('\n');
}
