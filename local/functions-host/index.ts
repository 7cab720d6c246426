/**
 * A functions host for one machine. It loads an app through the model of `@azure/functions` and offers http, timer, queue and Event
 * Grid triggers with the routes, keys and status codes of the real host. Each instance is a process that may be killed; all of them
 * share the storage account the settings name.
 */
import { resolve } from 'node:path';
import { startFrontEnd } from './front-end.ts';
import { type InstanceProcess, startInstance } from './instance-process.ts';
import { type KnownKeys, makeKeys, withFunctionKeys } from './keys.ts';
import type { FunctionKeys, FunctionSummary, LogRecord, QueueOverrides } from './messages.ts';
import { InstancePool } from './pool.ts';

export { AppNotStarted } from './instance-process.ts';
export type { FunctionKeys, FunctionSummary, LogRecord } from './messages.ts';

export interface FunctionsHostOptions {
  /** Holds host.json and a package.json whose `main` names the app: built or source. */
  readonly folder: string;
  /** The whole environment of the app, but for PATH. */
  readonly settings: Readonly<Record<string, string>>;
  /** Absent: 1. */
  readonly instances?: number;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Keys that shall be known beforehand; the others are made. */
  readonly keys?: KnownKeys;
  /** Quicker than Azure where waiting would be all a test does. */
  readonly queues?: QueueOverrides;
  /** Called for each record from the first one on, also those before the host is ready. */
  readonly onLog?: (record: LogRecord) => void;
}

export interface FunctionsHost {
  readonly url: string;
  readonly keys: FunctionKeys;
  readonly functions: readonly FunctionSummary[];
  readonly instances: readonly InstanceProcess[];
  /** Calls for each record from now on. Returns what ends it. */
  onLog(listener: (record: LogRecord) => void): () => void;
  /** All records so far. */
  logs(): readonly LogRecord[];
  /** The address Event Grid delivers to, with the system key. */
  eventGridUrl(functionName: string): string;
  /** SIGKILL for one instance; its timers pass to another. */
  kill(index: number): Promise<void>;
  /** Starts one more instance. */
  add(): Promise<InstanceProcess>;
  /** Lets running functions end, runs terminate hooks. May be called again. */
  close(): Promise<void>;
}

/** A quick maximum, so that a demo does not wait for a poll. The service's own is a minute. */
const localPollingMs = 500;

/**
 * Fails with the message where a function is in error. An app that throws while it is loaded starts without a function, and its log says why,
 * as at the real host.
 */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  const records: LogRecord[] = [];
  const listeners = new Set<(record: LogRecord) => void>(options.onLog === undefined ? [] : [options.onLog]);
  const publish = (record: LogRecord) => {
    records.push(record);
    for (const listener of listeners) listener(record);
  };
  const keys = makeKeys(options.keys);
  const folder = resolve(options.folder);
  const queues = { maxPollingMs: localPollingMs, ...options.queues };
  const pool = new InstancePool((instance) =>
    startInstance({ instance, folder, keys, queues }, options.settings, publish),
  );
  await pool.start(options.instances ?? 1);
  const front = await startFrontEnd(options.port ?? 0, () => pool.alive().map((instance) => instance.port)).catch(
    async (error: unknown) => {
      await pool.close();
      throw error;
    },
  );
  const functions = pool.all[0]?.functions ?? [];
  return {
    ...{ url: front.url, keys: withFunctionKeys(keys, functions), instances: pool.all, functions },
    add: () => pool.add(),
    logs: () => records,
    onLog: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    eventGridUrl: (name) =>
      `${front.url}/runtime/webhooks/eventgrid?functionName=${encodeURIComponent(name)}&code=${encodeURIComponent(keys.system)}`,
    kill: (index) => pool.kill(index),
    close: async () => {
      await front.close();
      await pool.close();
    },
  };
}
