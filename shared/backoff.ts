/** When something that failed is tried again: later each time, up to hours, spread, and never before the other side asked. Pure. */

const secondMs = 1_000;
const hourMs = 60 * 60 * secondMs;

/** By how much of itself a pause may be shorter: a thousand tries that failed together must not come back together. */
const spread = 0.25;

/** The longest that another side may ask for. A wrong header must not put work off for a year. */
const mostAskedMs = 24 * hourMs;

export interface BackoffLimits {
  /** Pause after the first failure in a row, in ms. */
  readonly firstMs: number;
  /** Longest pause, in ms. */
  readonly mostMs: number;
}

/** Doubles from the first pause to the longest. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;

  constructor({ firstMs, mostMs }: BackoffLimits) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
  }

  /**
   * Pause in ms after so many failures in a row, 1 or more. `random`, from 0 to 1, takes up to a quarter of it away. `askedSeconds`: what
   * the other side asked for (`Retry-After`); no pause is shorter than that, up to a day.
   */
  pauseMs(failures: number, random: number, askedSeconds = 0): number {
    // More doublings than this are past every limit, and past what a number holds.
    const doublings = Math.min(Math.max(failures, 1) - 1, 40);
    const planned = Math.min(this.#firstMs * 2 ** doublings, this.#mostMs);
    const asked = Math.min(Math.max(askedSeconds, 0) * secondMs, mostAskedMs);
    return Math.round(Math.max(planned * (1 - spread * random), asked));
  }
}

/** For what mends itself: a target that restarts, a vault that throttles. Soon at first, because consumers may wait for it. */
export const retryBackoff = new Backoff({ firstMs: 5 * secondMs, mostMs: 4 * hourMs });

/** For what a person has to change first. The sweep comes as often as this begins. */
export const failureBackoff = new Backoff({ firstMs: hourMs / 4, mostMs: 6 * hourMs });

/** For messages that a receiver did not take. One that is back is told within the hour. */
export const noticeBackoff = new Backoff({ firstMs: 10 * secondMs, mostMs: hourMs });
