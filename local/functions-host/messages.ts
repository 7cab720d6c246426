/** What the functions host and one of its instances, a child process, say to each other. */
import * as z from 'zod';

export const logRecordSchema = z.object({
  time: z.date(),
  instance: z.number(),
  /** Levels of the Functions worker. */
  level: z.enum(['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none']),
  /** `user`: `context.log`; `system`: the host's own; `console`: printed by the app. */
  category: z.enum(['user', 'system', 'customMetric', 'console']),
  functionName: z.string().optional(),
  invocationId: z.string().optional(),
  message: z.string(),
});
export type LogRecord = z.infer<typeof logRecordSchema>;

export const keysSchema = z.object({
  /** Passes every level. */
  master: z.string().min(1),
  /** The system key of the Event Grid extension, `eventgrid_extension` in Azure. */
  system: z.string().min(1),
  /** The host-level function key `default`: accepted by every function of level `function`. */
  host: z.string().min(1),
  /** The key `default` of each function. */
  functions: z.record(z.string(), z.string().min(1)),
});
export type FunctionKeys = z.infer<typeof keysSchema>;

export const queueOverridesSchema = z.object({
  /** Longest pause between two looks at an empty queue, in ms. The service's own is a minute. */
  maxPollingMs: z.number().positive().optional(),
  /** How long a message in work is invisible to others, in seconds; renewed at half of it. The service's own is 600. */
  lockSeconds: z.number().int().positive().optional(),
  /** Pause before a failed message is tried again, in seconds, in place of host.json's `visibilityTimeout`. */
  retrySeconds: z.number().int().nonnegative().optional(),
});
export type QueueOverrides = z.infer<typeof queueOverridesSchema>;

export const instanceConfigSchema = z.object({
  instance: z.number(),
  folder: z.string(),
  keys: keysSchema,
  queues: queueOverridesSchema,
});
export type InstanceConfig = z.infer<typeof instanceConfigSchema>;

export const functionSummarySchema = z.object({
  name: z.string(),
  /** As registered: `httpTrigger`, `timerTrigger`, `queueTrigger`, `eventGridTrigger`. */
  trigger: z.string(),
  /** Of http functions: path with prefix and leading slash, as a template. */
  route: z.string().optional(),
});
export type FunctionSummary = z.infer<typeof functionSummarySchema>;

export const toInstanceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('start'), config: instanceConfigSchema }),
  /** Timers run on one instance of an app only. */
  z.object({ kind: z.literal('lead') }),
  z.object({ kind: z.literal('stop') }),
]);
export type ToInstance = z.infer<typeof toInstanceSchema>;

export const fromInstanceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), port: z.number(), functions: z.array(functionSummarySchema) }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
  z.object({ kind: z.literal('log'), record: logRecordSchema }),
]);
export type FromInstance = z.infer<typeof fromInstanceSchema>;
