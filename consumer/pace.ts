/** How often a vault, a target or Keyturn is asked. Pure: time and chance are given. All times in ms. */

export interface Pace {
  readonly refreshIntervalMs: number;
  readonly refreshJitterMs: number;
}

/** Where nothing tells the overlap: short enough for the shortest one. */
const shortestIntervalMs = 300_000;
const longestIntervalMs = 14_400_000;

/**
 * Each read of the vault is paid for, and messages and refused logins find a new version sooner: reading by time is the net under them, and
 * must find it well within the overlap. A twelfth of it, with the jitter, leaves room for an outage of the vault of half the overlap.
 */
export function paceFor(given: Partial<Pace>, overlapMs: number | undefined): Pace {
  const byOverlap = Math.min(longestIntervalMs, Math.max(shortestIntervalMs, (overlapMs ?? 0) / 12));
  const refreshIntervalMs = given.refreshIntervalMs ?? byOverlap;
  return { refreshIntervalMs, refreshJitterMs: given.refreshJitterMs ?? refreshIntervalMs / 5 };
}

/** A number of `[0, 1)`. */
export type Chance = () => number;

/**
 * The first timed read falls anywhere in one interval, so that instances started together do not ask together; later ones follow by
 * the interval and a new share of the jitter each time, so that they never fall in step again.
 */
export function nextReadMs(pace: Pace, first: boolean, chance: Chance): number {
  const { refreshIntervalMs, refreshJitterMs } = pace;
  return first ? chance() * (refreshIntervalMs + refreshJitterMs) : refreshIntervalMs + chance() * refreshJitterMs;
}

/** The wait after so many failures in a row: it doubles from the first to the longest; the upper half of it is left to chance. */
export function backOffMs(failures: number, firstMs: number, longestMs: number, chance: Chance): number {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return whole / 2 + (chance() * whole) / 2;
}

/**
 * Spaces the reads that are asked for by refused logins and by messages. The first is made at once; each that finds nothing new
 * doubles the wait for the next, from 1 s to 60 s, so that a wrong password in the vault, or a stranger's messages, cannot make a
 * consumer hammer it. A new version makes the next one free again.
 */
export class ForcedReads {
  #fruitless = 0;
  #freeAt = Number.NEGATIVE_INFINITY;

  /** Time until the next one may be made; 0: now. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#freeAt - nowMs);
  }

  made(nowMs: number, foundNew: boolean): void {
    this.#fruitless = foundNew ? 0 : this.#fruitless + 1;
    this.#freeAt = foundNew ? nowMs : nowMs + Math.min(60_000, 1000 * 2 ** Math.min(this.#fruitless - 1, 10));
  }
}
