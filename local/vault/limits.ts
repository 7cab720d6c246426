/**
 * The service's limits on calls: 300 creations and 4,000 other calls in any 10 seconds, per vault.
 *
 * Judged by the machine's steady clock, never by the movable one: moving the clock must not give or take calls.
 */
export interface LimitOptions {
  readonly on: boolean;
  /** Creations (set, restore) and other calls per window. */
  readonly creations: number;
  readonly others: number;
  /** Length of the window in ms. */
  readonly windowMs: number;
  /** Whether a refusal carries `Retry-After` in whole seconds. The service does not promise it. */
  readonly retryAfter: boolean;
  /**
   * Whether refused calls count too. The service's manual says that all requests accrue; how its windows turn over is not known, and with a
   * sliding one a caller that keeps hammering would never get through. So the default is no; yes is the strictest reading.
   */
  readonly countRefused: boolean;
}

export const documentedLimits: LimitOptions = {
  on: true,
  creations: 300,
  others: 4_000,
  windowMs: 10_000,
  retryAfter: true,
  countRefused: false,
};

/** Of all vaults of a subscription in one region together: five times those of one. Source: Key Vault's page "Service limits". */
export const subscriptionLimits: LimitOptions = { ...documentedLimits, creations: 1_500, others: 20_000 };

export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds?: number };

/** The moments of the last `capacity` counted calls, in a ring. */
class Window {
  readonly #moments: Float64Array;
  #calls = 0;

  constructor(capacity: number) {
    this.#moments = new Float64Array(capacity);
  }

  /** 0 when the call is admitted, else the ms until one would be. */
  admit(nowMs: number, { windowMs, countRefused }: LimitOptions): number {
    const at = this.#calls % this.#moments.length;
    const oldest = this.#moments[at] ?? 0;
    const freeMs = oldest + windowMs;
    const waitMs = this.#calls >= this.#moments.length && freeMs > nowMs ? freeMs - nowMs : 0;
    if (waitMs === 0 || countRefused) {
      this.#moments[at] = nowMs;
      this.#calls++;
    }
    return waitMs;
  }
}

export class Limits {
  #options: LimitOptions;
  #creations: Window;
  #others: Window;
  readonly #steadyMs: () => number;

  /** @param steadyMs a clock that never jumps, in ms. */
  constructor(options: Partial<LimitOptions> = {}, steadyMs: () => number = () => performance.now()) {
    this.#options = checked({ ...documentedLimits, ...options });
    this.#creations = new Window(this.#options.creations);
    this.#others = new Window(this.#options.others);
    this.#steadyMs = steadyMs;
  }

  get options(): LimitOptions {
    return this.#options;
  }

  /** Changes some options; the counting starts afresh. */
  set(options: Partial<LimitOptions>): void {
    this.#options = checked({ ...this.#options, ...options });
    this.#creations = new Window(this.#options.creations);
    this.#others = new Window(this.#options.others);
  }

  admit(kind: 'creation' | 'other'): Admission {
    if (!this.#options.on) return { kind: 'admitted' };
    const window = kind === 'creation' ? this.#creations : this.#others;
    const waitMs = window.admit(this.#steadyMs(), this.#options);
    if (waitMs === 0) return { kind: 'admitted' };
    return this.#options.retryAfter
      ? { kind: 'throttled', retryAfterSeconds: Math.ceil(waitMs / 1000) }
      : { kind: 'throttled' };
  }
}

function checked(options: LimitOptions): LimitOptions {
  for (const name of ['creations', 'others', 'windowMs'] as const)
    if (!Number.isSafeInteger(options[name]) || options[name] < 1)
      throw new RangeError(`The limit \`${name}\` must be a whole number of 1 or more, not ${options[name]}.`);
  return options;
}
