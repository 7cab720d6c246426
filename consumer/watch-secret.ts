import { type Acknowledged, type AcknowledgeOptions, Acknowledger } from './acknowledge.ts';
import { ConsumerError, type OnError, reporter } from './errors.ts';
import { backOffMs, ForcedReads, nextReadMs, type Pace, paceFor } from './pace.ts';
import { SecretChange } from './secret-change.ts';
import type { SecretText } from './secret-text.ts';
import { pause, Timer } from './timer.ts';
import { type User, Users } from './users.ts';
import { readSecret, type SecretReader, type SecretReading } from './vault.ts';

export interface WatchOptions {
  /** `new SecretClient(vaultUrl, credential)` of `@azure/keyvault-secrets`, or anything with its `getSecret`. */
  readonly client: SecretReader;
  /** Name of the secret. */
  readonly name: string;
  /** Name of the vault. Default: read from its address; needed for a vault with an address of its own. */
  readonly vault?: string;
  /** Time between two reads of the vault, in ms. Default: a twelfth of the overlap that the secret's tags tell, from 5 minutes to 4 hours; 5 minutes where they tell none. */
  readonly refreshIntervalMs?: number;
  /** Up to so much is added to each interval by chance, in ms. Default: a fifth of the interval. */
  readonly refreshJitterMs?: number;
  /** How long one read of the vault may take, in ms. Default 10,000. */
  readonly readTimeoutMs?: number;
  /** How long the first reading is tried for before `watchSecret` rejects, in ms. Default 30,000. */
  readonly startTimeoutMs?: number;
  /** Told of every problem of the background. Default: warnings of the process (`process.emitWarning`). */
  readonly onError?: OnError;
  /** Tells Keyturn which version is in use. Without it nothing is acknowledged. */
  readonly acknowledge?: AcknowledgeOptions;
}

export interface CurrentSecret {
  readonly value: SecretText;
  readonly version: string;
  readonly createdAt?: Date;
  readonly expiresAt?: Date;
}

/** How a refresh ended. `limited`: not read, because too many were asked for without finding anything new; it is read after the wait. */
export type Refreshed =
  | { readonly kind: 'changed' | 'unchanged'; readonly current: CurrentSecret }
  | { readonly kind: 'failed'; readonly error: ConsumerError }
  | { readonly kind: 'limited'; readonly retryAfterMs: number };

/** A new version of a secret that somebody told of. */
export interface VersionNews {
  readonly vault?: string;
  readonly secret: string;
  readonly version?: string;
}

/**
 * Reads a secret and keeps it fresh: by time, when told (`notify`), and when a login with it was refused (`refused`).
 *
 * Rejects with a `ConsumerError` when the options cannot work, or when the first reading did not succeed within `startTimeoutMs`.
 * After that nothing of it throws in the background: while the vault is away the last good value stays, `ageMs` grows, and `onError`
 * is told. Call `close()` at the end; its timers do not keep the process alive.
 */
export async function watchSecret(options: WatchOptions): Promise<WatchedSecret> {
  const plan = planOf(options);
  const closing = new AbortController();
  const until = performance.now() + plan.startTimeoutMs;
  for (let failures = 1; ; failures += 1) {
    try {
      const timeoutMs = Math.max(1, Math.min(plan.readTimeoutMs, until - performance.now()));
      const first = await readSecret(options.client, options.name, timeoutMs, closing.signal);
      return new WatchedSecret(options, plan, first, closing);
    } catch (error) {
      const waitMs = backOffMs(failures, 500, 8000, Math.random);
      const hopeless = !(error instanceof ConsumerError) || error.code !== 'vault-unavailable';
      if (hopeless || performance.now() + waitMs >= until) throw error;
      await pause(waitMs, closing.signal);
    }
  }
}

interface Plan {
  /** What the options say of it; the rest follows the overlap. */
  readonly pace: Partial<Pace>;
  readonly readTimeoutMs: number;
  readonly startTimeoutMs: number;
}

/** A secret that is kept fresh. Made by `watchSecret`. */
export class WatchedSecret extends SecretChange {
  readonly name: string;
  /** Name of the vault, when it is known. */
  readonly vault: string | undefined;
  /**
   * Longest time a new version may stay unnoticed while the vault answers and nobody tells of it, in ms: interval, jitter and the time
   * of one read. Invariant: overlapMs >= this + the longest query.
   */
  get longestStaleMs(): number {
    const { refreshIntervalMs, refreshJitterMs } = this.#pace;
    return refreshIntervalMs + refreshJitterMs + this.#plan.readTimeoutMs;
  }
  readonly #options: WatchOptions;
  readonly #plan: Plan;
  readonly #closing: AbortController;
  readonly #timer = new Timer();
  readonly #forced = new ForcedReads();
  readonly #users: Users;
  readonly #acknowledger: Acknowledger | undefined;
  // Versions read by this process, so that late news of one of them is seen for what it is.
  readonly #known = new Set<string>();
  #current: SecretReading;
  #readAt = performance.now();
  #failures = 0;
  #reading: Promise<Refreshed> | undefined;

  /** Use `watchSecret`. */
  constructor(options: WatchOptions, plan: Plan, first: SecretReading, closing: AbortController) {
    super(reporter(options.onError));
    this.name = options.name;
    this.vault = options.vault ?? first.vault;
    this.#options = options;
    this.#plan = plan;
    this.#current = first;
    this.#known.add(first.version);
    this.#closing = closing;
    if (options.acknowledge !== undefined && this.vault === undefined) {
      throw new ConsumerError(
        'options',
        `Give "vault" to acknowledge ${this.name}: the address does not tell its name.`,
      );
    }
    this.#acknowledger = options.acknowledge && new Acknowledger(options.acknowledge, this.report);
    this.#users = new Users((version) => {
      if (version === this.#current.version) void this.acknowledge();
    });
    this.#timer.set(nextReadMs(this.#pace, true, Math.random), this.#readByTime);
  }

  /** The overlap may be another one with each version. */
  get #pace(): Pace {
    return paceFor(this.#plan.pace, this.#current.overlapMs);
  }

  /** The last good value. A process that slept past its interval also starts a refresh by asking. */
  get current(): CurrentSecret {
    if (this.ageMs > this.longestStaleMs && this.#failures === 0 && !this.closed) this.#readByTime();
    return this.#current;
  }

  /** Time since the vault last gave the value, in ms. */
  get ageMs(): number {
    return performance.now() - this.#readAt;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Reads the vault now. Calls at the same time share one read. Never rejects. */
  refresh(): Promise<Refreshed> {
    if (this.closed) return Promise.resolve({ kind: 'failed', error: closedError(this.name) });
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /**
   * To be called when the target refused a login with `version`. Reads the vault, unless a newer version is here already, or so many
   * calls found nothing new that the next must wait (1 s doubling to 60 s). Never rejects.
   */
  refused(version: string): Promise<Refreshed> {
    return this.#forcedRead(version !== this.#current.version);
  }

  /**
   * To be called with news of a version, after its sender was checked: a stranger could make the consumer read the vault, no more.
   * News of other secrets, and of versions that were read before, are `ignored`. Never rejects.
   */
  async notify(news: VersionNews): Promise<Refreshed | { readonly kind: 'ignored' }> {
    const mine =
      same(news.secret, this.name) &&
      (news.vault === undefined || this.vault === undefined || same(news.vault, this.vault));
    if (!mine || (news.version !== undefined && this.#known.has(news.version))) return { kind: 'ignored' };
    return this.#forcedRead(false);
  }

  /**
   * Tells Keyturn that the current version is in use and no earlier one is. Pools of this client do it by themselves once all of them
   * swapped and closed their old connections; call it where no pool does. May be called again: each version is sent once. Never rejects.
   */
  acknowledge(): Promise<Acknowledged> {
    const { vault } = this;
    if (this.#acknowledger === undefined || vault === undefined || this.closed) return Promise.resolve('given-up');
    return this.#acknowledger.acknowledge({ vault, secret: this.name, version: this.#current.version });
  }

  /** Takes part in the decision that a version is in use. For pools, also such as are not of this client. */
  join(): User {
    return this.#users.join();
  }

  /** Ends timers, reads and acknowledgements. The value stays readable. Pools made from it go on with what they have. */
  async close(): Promise<void> {
    this.#timer.clear();
    this.#closing.abort(closedError(this.name));
    this.#acknowledger?.close();
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #forcedRead(knownAlready: boolean): Promise<Refreshed> {
    if (knownAlready) return { kind: 'changed', current: this.#current };
    // Joining a read that began before the news would miss a version published in between, so a running one is waited for first.
    const before = this.#current.version;
    await this.#reading;
    if (this.#current.version !== before) return { kind: 'changed', current: this.#current };
    const retryAfterMs = this.#forced.waitMs(performance.now());
    if (retryAfterMs > 0 && this.#reading === undefined) {
      this.#timer.setSooner(retryAfterMs, this.#readByTime);
      return { kind: 'limited', retryAfterMs };
    }
    const started = this.#reading === undefined;
    const refreshed = await this.refresh();
    if (started) this.#forced.made(performance.now(), refreshed.kind === 'changed');
    return refreshed;
  }

  readonly #readByTime = (): void => {
    void this.refresh();
  };

  async #read(): Promise<Refreshed> {
    const { client, name } = this.#options;
    try {
      const next = await readSecret(client, name, this.#plan.readTimeoutMs, this.#closing.signal);
      return this.#took(next);
    } catch (error) {
      if (!(error instanceof ConsumerError)) throw error;
      if (this.closed) return { kind: 'failed', error: closedError(name) };
      this.#failures += 1;
      const longest = Math.min(this.#pace.refreshIntervalMs, 60_000);
      this.#timer.set(backOffMs(this.#failures, Math.min(1000, longest), longest, Math.random), this.#readByTime);
      this.report(error);
      return { kind: 'failed', error };
    }
  }

  #took(next: SecretReading): Refreshed {
    const previous = this.#current;
    this.#failures = 0;
    this.#readAt = performance.now();
    this.#current = next;
    if (!this.closed) this.#timer.set(nextReadMs(this.#pace, false, Math.random), this.#readByTime);
    if (next.version === previous.version) return { kind: 'unchanged', current: next };
    this.#known.add(next.version);
    this.#forced.made(performance.now(), true);
    this.changed({ previous, current: next });
    return { kind: 'changed', current: next };
  }
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function closedError(name: string): ConsumerError {
  return new ConsumerError('closed', `The watch of ${name} was closed.`);
}

function planOf(options: WatchOptions): Plan {
  const { refreshIntervalMs, refreshJitterMs } = options;
  const pace = {
    ...(refreshIntervalMs === undefined ? {} : { refreshIntervalMs }),
    ...(refreshJitterMs === undefined ? {} : { refreshJitterMs }),
  };
  const times = {
    readTimeoutMs: options.readTimeoutMs ?? 10_000,
    startTimeoutMs: options.startTimeoutMs ?? 30_000,
  };
  const problems = Object.entries({ ...pace, ...times })
    .filter(([name, ms]) => !Number.isFinite(ms) || ms < 0 || (ms === 0 && name !== 'refreshJitterMs'))
    .map(([name]) => `${name} must be a time above 0 in ms`);
  if (!/^[0-9a-zA-Z-]{1,127}$/.test(options.name)) {
    problems.push('name must be the name of a secret: 1 to 127 letters, digits and dashes');
  }
  if (problems.length > 0) throw new ConsumerError('options', `watchSecret: ${problems.join('; ')}.`);
  return { pace, ...times };
}
