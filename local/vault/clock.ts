/** A clock that runs with real time and can be moved. */
export interface Clock {
  now(): Date;
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Whole seconds since 1970, rounded down: the vault keeps no finer time. */
  nowSeconds(): number;
  /** Moves on by so many milliseconds; a negative number moves back. Listeners have run when it returns. */
  advance(ms: number): void;
  /** Moves to a moment and runs on from there. Listeners have run when it returns. */
  set(to: Date): void;
  /** Back to real time. */
  reset(): void;
  /** Distance from real time in ms. */
  readonly offsetMs: number;
  /** Calls the listener after each move, not as time passes. Returns what ends it. */
  onMove(listener: () => void): () => void;
}

/** The last moment that JavaScript can represent, in ms. */
const lastMomentMs = 8.64e15;

/** Several vaults and the event delivery may share one clock. */
export function createClock(): Clock {
  let offsetMs = 0;
  const listeners = new Set<() => void>();
  const moveTo = (nextOffsetMs: number, asked: string) => {
    if (!Number.isFinite(nextOffsetMs) || Math.abs(Date.now() + nextOffsetMs) > lastMomentMs)
      throw new RangeError(
        `The clock cannot move to ${asked}: give a valid date, or a number of milliseconds that ends in one.`,
      );
    offsetMs = nextOffsetMs;
    for (const listener of [...listeners]) listener();
  };
  return {
    now: () => new Date(Date.now() + offsetMs),
    nowMs: () => Date.now() + offsetMs,
    nowSeconds: () => Math.floor((Date.now() + offsetMs) / 1000),
    advance: (ms) => moveTo(offsetMs + ms, `${ms} ms from now`),
    set: (to) => moveTo(to.getTime() - Date.now(), String(to)),
    reset: () => moveTo(0, 'real time'),
    get offsetMs() {
      return offsetMs;
    },
    onMove: (listener) => {
      // Wrapped, so that one function given twice is two subscriptions.
      const own = () => listener();
      listeners.add(own);
      return () => listeners.delete(own);
    },
  };
}
