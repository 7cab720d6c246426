/** An instance of the functions host: a process of its own, so that it can die like one. Started by ../index.ts only. */
import { type FromInstance, type InstanceConfig, toInstanceSchema } from '../messages.ts';
import { type App, openApp } from './app.ts';
import type { AppRegistry, WorkerLog } from './core-module.ts';
import { type Listener, listenToQueue } from './queue-listener.ts';
import { serve } from './server.ts';
import { listenToTimer } from './timer.ts';
import { openTimerStore } from './timer-store.ts';

const settings = { ...process.env };

interface Running {
  lead(): Promise<void>;
  stop(): Promise<void>;
}

/** Longest time running functions are given to end when the host stops, in ms. */
const drainMs = 10_000;

function tell(message: FromInstance): void {
  if (process.connected) process.send?.(message);
}

function makeLog(instance: number): { log: WorkerLog; attach(registry: AppRegistry): void } {
  let hooks: AppRegistry['hooks']['log'] = [];
  const log: WorkerLog = (entry) => {
    // Log hooks see everything and may change what the app itself wrote.
    const context = { ...entry, hookData: {}, appHookData: {} };
    for (const hook of hooks) hook(context);
    const shown = entry.category === 'user' ? { ...entry, level: context.level, message: context.message } : entry;
    tell({ kind: 'log', record: { ...shown, time: new Date(), instance } });
  };
  return {
    log,
    attach: (registry) => {
      hooks = registry.hooks.log;
    },
  };
}

async function start(config: InstanceConfig): Promise<Running> {
  const { log, attach } = makeLog(config.instance);
  const app = await openApp(config, settings, log);
  attach(app.registry);
  const homepage = settings['AzureWebJobsDisableHomepage']?.toLowerCase() !== 'true';
  const { server, port } = await serve(app, config.keys, homepage);
  const listeners: Listener[] = await Promise.all(app.queues.map(listenToQueue));
  tell({ kind: 'ready', port, functions: [...app.functions] });
  return {
    lead: async () => {
      listeners.push(...(await startTimers(app)));
    },
    stop: async () => {
      for (const listener of listeners) listener.stop();
      server.close();
      server.closeIdleConnections();
      await Promise.race([app.invoker.idle(), new Promise((resolve) => setTimeout(resolve, drainMs))]);
      const hook = { hookData: {}, appHookData: {} };
      for (const callback of app.registry.hooks.appTerminate) await callback(hook);
    },
  };
}

async function startTimers(app: App): Promise<Listener[]> {
  if (app.timerConnection === undefined) return [];
  const store = await openTimerStore(app.timerConnection, app.hostId);
  return app.timers.map((timer) => listenToTimer({ ...timer, store }));
}

function fail(error: unknown): void {
  tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
  process.disconnect?.();
}

let running: Promise<Running> | undefined;

async function obey(raw: unknown): Promise<void> {
  const message = toInstanceSchema.parse(raw);
  switch (message.kind) {
    case 'start':
      running = start(message.config);
      await running;
      return;
    case 'lead':
      await (await running)?.lead();
      return;
    case 'stop':
      await (await running)?.stop();
      process.disconnect?.();
      return;
  }
}

// The channel closes when the host process ends, however it ends: an instance never outlives it.
process.on('disconnect', () => process.exit());
process.on('message', (raw) => {
  obey(raw).catch(fail);
});
