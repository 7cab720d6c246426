/** host.json, as far as the local host acts on it. Source: host.json reference for Azure Functions 2.x and later. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Settings } from './settings.ts';

const timeSpan = z
  .string()
  .regex(/^(\d+\.)?\d{1,2}:\d{2}:\d{2}(\.\d+)?$/, 'must be a time span such as "00:00:30"')
  .transform((text) => {
    const [days, clock] = /^\d+\./.test(text) ? [Number.parseInt(text, 10), text.replace(/^\d+\./, '')] : [0, text];
    const [hours = 0, minutes = 0, seconds = 0] = clock.split(':').map(Number);
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  });

const queuesSchema = z.object({
  maxPollingInterval: timeSpan.default(60_000),
  visibilityTimeout: timeSpan.default(0),
  batchSize: z.number().int().min(1).max(32).default(16),
  maxDequeueCount: z.number().int().min(1).default(5),
  newBatchThreshold: z.number().int().min(0).optional(),
  messageEncoding: z.enum(['base64', 'none']).default('base64'),
});

const hostJsonSchema = z.object({
  version: z.literal('2.0', 'The host.json file is missing the required \'version\' property: set it to "2.0"'),
  extensionBundle: z.object({ id: z.string(), version: z.string() }).optional(),
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().default('api') }).prefault({}),
      queues: queuesSchema.prefault({}),
    })
    .prefault({}),
});

export interface HostJson {
  readonly routePrefix: string;
  readonly extensionBundle?: { readonly id: string; readonly version: string };
  readonly queues: {
    readonly maxPollingMs: number;
    readonly retryMs: number;
    readonly batchSize: number;
    readonly newBatchThreshold: number;
    readonly maxDequeueCount: number;
    readonly messageEncoding: 'base64' | 'none';
  };
}

const overridePrefix = 'azurefunctionsjobhost__';

/** Settings like `AzureFunctionsJobHost__extensions__queues__batchSize` go before what the file says. Names as the file writes them. */
function overridden(file: unknown, settings: Settings): unknown {
  const whole = z.record(z.string(), z.unknown()).parse(structuredClone(file));
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined || !name.toLowerCase().startsWith(overridePrefix)) continue;
    const path = name.slice(overridePrefix.length).split('__');
    const last = path.pop() ?? '';
    let place = whole;
    for (const part of path) {
      const inner = z.record(z.string(), z.unknown()).catch({}).parse(place[part]);
      place[part] = inner;
      place = inner;
    }
    place[last] = /^\d+$/.test(value) ? Number(value) : value;
  }
  return whole;
}

/** Throws when the file is missing or says something the real host would refuse. */
export function readHostJson(folder: string, settings: Settings = {}): HostJson {
  const path = join(folder, 'host.json');
  if (!existsSync(path))
    throw new Error(`${path} is missing: a function app needs a host.json beside its package.json`);
  const parsed = hostJsonSchema.safeParse(overridden(JSON.parse(readFileSync(path, 'utf8')), settings));
  if (!parsed.success) throw new Error(`${path} is not valid: ${z.prettifyError(parsed.error)}`);
  const { http, queues } = parsed.data.extensions;
  return {
    routePrefix: http.routePrefix.replace(/^\/+|\/+$/g, ''),
    ...(parsed.data.extensionBundle === undefined ? {} : { extensionBundle: parsed.data.extensionBundle }),
    queues: {
      maxPollingMs: queues.maxPollingInterval,
      retryMs: queues.visibilityTimeout,
      batchSize: queues.batchSize,
      newBatchThreshold: queues.newBatchThreshold ?? Math.floor(queues.batchSize / 2),
      maxDequeueCount: queues.maxDequeueCount,
      messageEncoding: queues.messageEncoding,
    },
  };
}
