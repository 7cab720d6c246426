/**
 * Event delivery as Event Grid does it: at least once, in no order, to webhooks that have said they want it.
 * Sources: "Event Grid message delivery and retry", "Event Grid security and authentication: endpoint validation".
 */
import * as z from 'zod';
import type { Disturbance } from './disturb.ts';
import { type Endpoint, validate } from './endpoint.ts';
import type { EventFilter, EventSchema } from './schema.ts';
import { type Attempt, type DeadLetter, type Statistics, Subscription } from './subscription.ts';

export type { Disturbance } from './disturb.ts';
export { SubscriptionNotValidated } from './endpoint.ts';
export type { EventSchema, GridEvent } from './schema.ts';
export type { Attempt, DeadLetter, Statistics } from './subscription.ts';

export interface SubscriptionSpec extends EventFilter {
  readonly name: string;
  /** The webhook with its key. */
  readonly url: string;
  /** Absent: `eventgrid`. */
  readonly schema?: EventSchema;
  /** 1 to 5,000; absent: 1. */
  readonly maxEventsPerBatch?: number;
  /** 1 to 30; absent: 30. */
  readonly maxDeliveryAttempts?: number;
  /** 1 to 1,440; absent: 1,440. */
  readonly eventTimeToLiveMinutes?: number;
}

export interface EventDeliveryOptions<Event = unknown> {
  /** Called once with a listener for events, such as a vault's `onEvent`. What it returns ends it. */
  readonly source?: (listener: (event: Event) => void) => () => void;
  readonly subscriptions: readonly SubscriptionSpec[];
  /** Resource id in the handshake. */
  readonly topic?: string;
  /** Factor on every pause of the service's schedule and on the time to live; 0.001 turns 10 s into 10 ms. Absent: 1. */
  readonly timeScale?: number;
  /** Longest wait for an answer, in ms. Absent: 30,000, as the service; not scaled, since functions are not. */
  readonly waitMs?: number;
  readonly disturb?: Disturbance;
  readonly onAttempt?: (attempt: Attempt) => void;
}

export interface EventDelivery {
  /** An event made by hand, also one that is malformed; goes the way of all events. Throws for what JSON cannot hold. */
  publish(event: unknown): void;
  /** From now on; replaces what was asked before. */
  disturb(disturbance: Disturbance): void;
  /** Events given up, oldest first for each subscription. */
  deadLetters(): readonly DeadLetter[];
  statistics(): Readonly<Record<string, Statistics>>;
  /** Validates, then delivers events from now on. */
  subscribe(spec: SubscriptionSpec): Promise<void>;
  /** Resolves when every event has been delivered or given up. */
  idle(): Promise<void>;
  /** Breaks off what is under way. Dead letters and statistics stay readable. May be called again. */
  close(): void;
}

const specSchema = z.object({
  name: z.string().regex(/^[A-Za-z0-9-]{3,64}$/, 'must be 3 to 64 letters, digits and dashes'),
  url: z.url({ protocol: /^https?$/ }),
  maxEventsPerBatch: z.number().int().min(1).max(5000).default(1),
  maxDeliveryAttempts: z.number().int().min(1).max(30).default(30),
  eventTimeToLiveMinutes: z.number().int().min(1).max(1440).default(1440),
});

/** Validates every subscription first; one that does not answer its handshake makes the start fail with `SubscriptionNotValidated`. */
export async function startEventDelivery<Event>(options: EventDeliveryOptions<Event>): Promise<EventDelivery> {
  const subscriptions = new Map<string, Subscription>();
  const closing = new AbortController();
  let disturbance = options.disturb ?? {};
  const publish = (given: unknown) => {
    // As it is now: what the publisher changes later must not reach a retry.
    const event: unknown = JSON.parse(JSON.stringify(given));
    for (const subscription of subscriptions.values()) subscription.accept(event);
  };
  const subscribe = async (spec: SubscriptionSpec) => {
    const subscription = await openSubscription(spec, options, closing.signal);
    subscription.disturb(disturbance);
    subscriptions.get(subscription.name)?.close();
    subscriptions.set(subscription.name, subscription);
  };
  await Promise.all(options.subscriptions.map(subscribe));
  const endSource = options.source?.(publish);
  const all = () => [...subscriptions.values()];
  return {
    publish,
    subscribe,
    disturb: (wanted) => {
      disturbance = wanted;
      for (const subscription of all()) subscription.disturb(wanted);
    },
    deadLetters: () => all().flatMap((subscription) => subscription.deadLetters()),
    statistics: () => Object.fromEntries(all().map((subscription) => [subscription.name, subscription.statistics()])),
    idle: async () => {
      await Promise.all(all().map((subscription) => subscription.idle()));
    },
    close: () => {
      endSource?.();
      closing.abort();
      for (const subscription of all()) subscription.close();
    },
  };
}

async function openSubscription<Event>(
  spec: SubscriptionSpec,
  options: EventDeliveryOptions<Event>,
  signal: AbortSignal,
): Promise<Subscription> {
  const parsed = specSchema.safeParse(spec);
  if (!parsed.success)
    throw new Error(`The subscription "${spec.name}" is not valid: ${z.prettifyError(parsed.error)}`);
  const { name, url, maxEventsPerBatch, maxDeliveryAttempts, eventTimeToLiveMinutes } = parsed.data;
  const endpoint: Endpoint = {
    ...{ url, subscription: name, schema: spec.schema ?? 'eventgrid', waitMs: options.waitMs ?? 30_000 },
  };
  await validate(endpoint, options.topic ?? '/subscriptions/local', signal);
  return new Subscription({
    ...{ endpoint, maxEventsPerBatch, maxDeliveryAttempts, timeToLiveMs: eventTimeToLiveMinutes * 60_000 },
    ...(spec.includedEventTypes === undefined ? {} : { includedEventTypes: spec.includedEventTypes }),
    ...(spec.subjectFilter === undefined ? {} : { subjectFilter: spec.subjectFilter }),
    timeScale: options.timeScale ?? 1,
    onAttempt: options.onAttempt ?? (() => undefined),
  });
}
