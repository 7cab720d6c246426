/** One event subscription: what waits, what is under way, what was given up. */
import { type Disturbance, shuffled } from './disturb.ts';
import { deliver, type Endpoint } from './endpoint.ts';
import { type AttemptOutcome, type DeadLetterReason, nextStep, outcomeName, type RetryPolicy } from './retry.ts';
import { type EventFilter, isWanted, textField, toPayload } from './schema.ts';

/** The properties the service adds to an event it could not deliver. */
export interface DeadLetter {
  readonly subscription: string;
  readonly event: unknown;
  readonly deadLetterReason: DeadLetterReason;
  readonly deliveryAttempts: number;
  readonly lastDeliveryOutcome: string;
  readonly lastHttpStatusCode: number | undefined;
  readonly publishTime: Date;
  readonly lastDeliveryAttemptTime: Date | undefined;
}

/** One event of one attempt, for whoever wants to show it. */
export interface Attempt {
  readonly subscription: string;
  readonly eventId: string | undefined;
  readonly eventType: string | undefined;
  readonly subject: string | undefined;
  /** From 1. */
  readonly attempt: number;
  readonly outcome: AttemptOutcome;
  /** In ms. */
  readonly took: number;
}

export interface Statistics {
  /** Events that passed the filter. */
  readonly matched: number;
  /** Made on demand, on top of `matched`. */
  readonly duplicates: number;
  readonly attempts: number;
  readonly delivered: number;
  readonly deadLettered: number;
  /** Not yet delivered or given up. */
  readonly pending: number;
}

export interface SubscriptionOptions extends RetryPolicy, EventFilter {
  readonly endpoint: Endpoint;
  readonly maxEventsPerBatch: number;
  /** Factor on every pause and on the time to live. 1: as the service. */
  readonly timeScale: number;
  readonly onAttempt: (attempt: Attempt) => void;
}

interface Item {
  readonly event: unknown;
  readonly publishedAt: number;
  attempts: number;
  lastOutcome: AttemptOutcome | undefined;
  lastAttemptAt: number | undefined;
}

/** Deliveries under way at once. */
const concurrency = 32;
/** How long events are gathered before they are put out of order, in ms. */
const gatherMs = 50;

export class Subscription {
  readonly name: string;
  readonly #options: SubscriptionOptions;
  readonly #closing = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #deadLetters: DeadLetter[] = [];
  readonly #counts = { matched: 0, duplicates: 0, attempts: 0, delivered: 0, deadLettered: 0, pending: 0 };
  readonly #ready: Item[] = [];
  #gathered: Item[] = [];
  #disturbance: Disturbance = {};
  #underWay = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: SubscriptionOptions) {
    this.name = options.endpoint.subscription;
    this.#options = options;
  }

  disturb(disturbance: Disturbance): void {
    this.#disturbance = disturbance;
  }

  accept(event: unknown): void {
    if (this.#closing.signal.aborted || !isWanted(event, this.#options)) return;
    const duplicates = this.#disturbance.duplicates ?? 0;
    this.#counts.matched += 1;
    this.#counts.duplicates += duplicates;
    this.#counts.pending += 1 + duplicates;
    const publishedAt = Date.now();
    const items = Array.from({ length: 1 + duplicates }, () => ({
      ...{ event, publishedAt, attempts: 0, lastOutcome: undefined, lastAttemptAt: undefined },
    }));
    if (this.#disturbance.shuffle === undefined) {
      this.#release(items);
      return;
    }
    if (this.#gathered.length === 0) this.#after(gatherMs, () => this.#releaseGathered());
    this.#gathered.push(...items);
  }

  statistics(): Statistics {
    return { ...this.#counts };
  }

  deadLetters(): readonly DeadLetter[] {
    return this.#deadLetters;
  }

  /** Resolves when nothing is pending; retries to come are pending. */
  idle(): Promise<void> {
    if (this.#counts.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Breaks off what is under way and forgets what waits. */
  close(): void {
    this.#closing.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#settle(this.#counts.pending);
  }

  #releaseGathered(): void {
    const items = shuffled(this.#gathered, this.#disturbance.shuffle ?? 0);
    this.#gathered = [];
    this.#release(items);
  }

  #release(items: readonly Item[]): void {
    this.#ready.push(...items);
    while (this.#ready.length > 0 && this.#underWay < concurrency) {
      this.#underWay += 1;
      const done = () => {
        this.#underWay -= 1;
        if (!this.#closing.signal.aborted) this.#release([]);
      };
      this.#attempt(this.#ready.splice(0, this.#options.maxEventsPerBatch)).then(done, done);
    }
  }

  async #attempt(items: readonly Item[]): Promise<void> {
    const { endpoint } = this.#options;
    const alive = items.filter((item) => !this.#isExpired(item));
    for (const item of items) if (!alive.includes(item)) this.#giveUp(item, 'TimeToLiveExceeded');
    const first = alive[0];
    if (first === undefined) return;
    const start = performance.now();
    const payload = toPayload(
      alive.map(({ event }) => event),
      endpoint.schema,
    );
    const outcome = await deliver(endpoint, payload, first.attempts, this.#closing.signal);
    if (this.#closing.signal.aborted) return;
    this.#counts.attempts += 1;
    for (const item of alive) this.#conclude(item, outcome, performance.now() - start);
  }

  #isExpired(item: Item): boolean {
    return item.attempts > 0 && Date.now() - item.publishedAt > this.#options.timeToLiveMs * this.#options.timeScale;
  }

  #conclude(item: Item, outcome: AttemptOutcome, took: number): void {
    item.attempts += 1;
    item.lastOutcome = outcome;
    item.lastAttemptAt = Date.now();
    const field = (name: string) => textField(item.event, name);
    this.#options.onAttempt({
      ...{ subscription: this.name, attempt: item.attempts, outcome, took: Math.round(took) },
      ...{ eventId: field('id'), eventType: field('eventType') ?? field('type'), subject: field('subject') },
    });
    const step = nextStep(outcome, item.attempts, this.#options);
    switch (step.kind) {
      case 'done':
        this.#counts.delivered += 1;
        this.#settle(1);
        break;
      case 'retry':
        this.#after(step.afterMs * this.#options.timeScale, () => this.#release([item]));
        break;
      case 'dead-letter':
        this.#giveUp(item, step.reason);
        break;
    }
  }

  #giveUp(item: Item, deadLetterReason: DeadLetterReason): void {
    const { lastOutcome, lastAttemptAt } = item;
    this.#deadLetters.push({
      ...{ subscription: this.name, event: item.event, deadLetterReason, deliveryAttempts: item.attempts },
      lastDeliveryOutcome: lastOutcome === undefined ? 'None' : outcomeName(lastOutcome),
      lastHttpStatusCode: lastOutcome?.kind === 'answered' ? lastOutcome.status : undefined,
      publishTime: new Date(item.publishedAt),
      lastDeliveryAttemptTime: lastAttemptAt === undefined ? undefined : new Date(lastAttemptAt),
    });
    this.#counts.deadLettered += 1;
    this.#settle(1);
  }

  #settle(count: number): void {
    this.#counts.pending -= count;
    if (this.#counts.pending > 0) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}
