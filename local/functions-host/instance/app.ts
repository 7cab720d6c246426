/** One loaded function app, with every binding read and checked before anything listens. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { FunctionSummary, InstanceConfig } from '../messages.ts';
import { type AppRegistry, provideCoreModule, type RegisteredFunction, type WorkerLog } from './core-module.ts';
import type { EventGridFunction } from './event-grid.ts';
import { type HostJson, readHostJson } from './host-json.ts';
import { streamingAddress } from './http-stream.ts';
import { type HttpRoutes, httpRoute } from './http-trigger.ts';
import { type Invoker, makeInvoker, triggerBinding } from './invoke.ts';
import { loadApp } from './load-app.ts';
import { checkOutputs, makeOutputWriter, queueName, textOf } from './outputs.ts';
import type { QueueListenerOptions } from './queue-listener.ts';
import { parseSchedule } from './schedule.ts';
import { isDisabled, resolveSettings, type Settings, storageConnection } from './settings.ts';
import type { TimerOptions } from './timer.ts';

export interface App {
  readonly instance: number;
  /** Names the app in the storage account it shares with others. */
  readonly hostId: string;
  readonly hostJson: HostJson;
  readonly registry: AppRegistry;
  readonly invoker: Invoker;
  readonly routes: HttpRoutes;
  /** Where requests are passed on to; absent unless the app asked for HTTP streaming. */
  readonly streaming: string | undefined;
  readonly eventGrid: ReadonlyMap<string, EventGridFunction>;
  readonly queues: readonly QueueListenerOptions[];
  /** Still without their store, which is opened when the first timer starts. */
  readonly timers: readonly Omit<TimerOptions, 'store'>[];
  /** Where timer statuses are kept; absent when the app has no timer. */
  readonly timerConnection: string | undefined;
  readonly functions: readonly FunctionSummary[];
  readonly log: WorkerLog;
  isDisabled(functionName: string): boolean;
}

/**
 * Loads and checks. An app that throws while it is loaded has no functions, as at the real host. Throws with the reason when a function is
 * in error, where the real one leaves it out.
 */
export async function openApp(config: InstanceConfig, settings: Settings, log: WorkerLog): Promise<App> {
  const hostJson = readHostJson(config.folder, settings);
  const registry = provideCoreModule(log);
  await loadOrSay(config.folder, registry, log);
  const streaming = await streamingAddress(registry.model());
  const hook = { hookData: {}, appHookData: {}, functionAppDirectory: config.folder };
  for (const callback of registry.hooks.appStart) await callback(hook);
  registry.seal();
  log({ level: 'information', category: 'system', message: `${registry.functions.size} functions found` });
  const invoker = makeInvoker(registry, makeOutputWriter(settings, hostJson.queues.messageEncoding), log);
  const found = readBindings({ config, settings, hostJson, registry, invoker, log });
  return {
    ...{ instance: config.instance, hostJson, registry, invoker, streaming, log, ...found },
    hostId:
      settings['AzureFunctionsWebHost__hostid'] ??
      createHash('sha256').update(config.folder).digest('hex').slice(0, 32),
    timerConnection: found.timers.length > 0 ? storageConnection(undefined, settings) : undefined,
    functions: [...registry.functions.values()].map((one) => summary(one, found.routes)),
    isDisabled: (name) => isDisabled(name, settings),
  };
}

/** What is logged of it, and at which level, was seen at the real host. */
async function loadOrSay(folder: string, registry: AppRegistry, log: WorkerLog): Promise<void> {
  try {
    await loadApp(folder);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log({ level: 'information', category: 'console', message });
    if (registry.functions.size > 0) log({ level: 'error', category: 'system', message });
    registry.clear();
  }
}

interface Reading {
  readonly config: InstanceConfig;
  readonly settings: Settings;
  readonly hostJson: HostJson;
  readonly registry: AppRegistry;
  readonly invoker: Invoker;
  readonly log: WorkerLog;
}

function readBindings(reading: Reading) {
  const routes: ReturnType<typeof httpRoute>[] = [];
  const eventGrid = new Map<string, EventGridFunction>();
  const queues: QueueListenerOptions[] = [];
  const timers: Omit<TimerOptions, 'store'>[] = [];
  for (const registered of reading.registry.functions.values()) {
    checkOutputs(registered.metadata);
    const { name } = registered.metadata;
    const { type, binding } = triggerBinding(registered);
    const disabled = isDisabled(name, reading.settings);
    switch (type.toLowerCase()) {
      case 'httptrigger':
        routes.push(httpRoute(registered, reading.hostJson.routePrefix, reading.settings));
        break;
      case 'eventgridtrigger':
        if (!disabled) eventGrid.set(name, { name, takesBatches: binding['cardinality'] === 'many' });
        break;
      case 'queuetrigger':
        if (!disabled) queues.push(inError(name, () => readQueue(registered, reading)));
        break;
      case 'timertrigger':
        if (!disabled) timers.push(inError(name, () => readTimer(registered, reading)));
        break;
      default:
        throw new Error(`The '${name}' function is in error: the local host has no trigger of type '${type}'.`);
    }
  }
  return { routes, eventGrid, queues, timers };
}

function readQueue(
  registered: RegisteredFunction,
  { config, settings, hostJson, invoker, log }: Reading,
): QueueListenerOptions {
  const { name } = registered.metadata;
  const { binding } = triggerBinding(registered);
  const { maxPollingMs = hostJson.queues.maxPollingMs, lockSeconds = 600, retrySeconds } = config.queues;
  return {
    functionName: name,
    connection: storageConnection(textOf(binding, 'connection'), settings),
    queueName: queueName(binding, settings),
    settings: { ...hostJson.queues, maxPollingMs: Math.min(maxPollingMs, hostJson.queues.maxPollingMs) },
    lockSeconds,
    retrySeconds: retrySeconds ?? Math.round(hostJson.queues.retryMs / 1000),
    run: (trigger) => invoker.run(name, trigger),
    log: (level, message) => log({ level, category: 'system', message, functionName: name }),
  };
}

const timerSchema = z.object({
  schedule: z.string(),
  runOnStartup: z.boolean().default(false),
  useMonitor: z.boolean().default(true),
});

function readTimer(registered: RegisteredFunction, { settings, invoker, log }: Reading): Omit<TimerOptions, 'store'> {
  const { name, retryOptions } = registered.metadata;
  const { schedule, runOnStartup, useMonitor } = timerSchema.parse(triggerBinding(registered).binding);
  return {
    functionName: name,
    schedule: parseSchedule(resolveSettings(schedule, settings), settings['WEBSITE_TIME_ZONE'] ?? 'UTC'),
    runOnStartup,
    useMonitor,
    retry: retryOptions,
    run: (trigger) => invoker.run(name, trigger),
    log: (level, message) => log({ level, category: 'system', message, functionName: name }),
  };
}

function inError<Value>(name: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw new Error(`The '${name}' function is in error: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function summary(registered: RegisteredFunction, routes: HttpRoutes): FunctionSummary {
  const { name } = registered.metadata;
  const route = routes.find(({ target }) => target.name === name);
  return {
    name,
    trigger: triggerBinding(registered).type,
    ...(route === undefined ? {} : { route: `/${route.target.template}` }),
  };
}
