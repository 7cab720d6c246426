/** The longest time a timer of Node waits, in ms; more would fire at once. */
const longestMs = 2 ** 31 - 1;

/** One appointment that can be moved. It never keeps the process alive. */
export class Timer {
  #handle: NodeJS.Timeout | undefined;
  #dueAt = 0;

  /** Replaces what was set before. */
  set(delayMs: number, work: () => void): void {
    clearTimeout(this.#handle);
    this.#dueAt = performance.now() + delayMs;
    this.#handle = setTimeout(
      () => {
        this.#handle = undefined;
        work();
      },
      Math.min(delayMs, longestMs),
    );
    this.#handle.unref();
  }

  /** Sets it unless something is due before that. */
  setSooner(delayMs: number, work: () => void): void {
    if (this.#handle !== undefined && this.#dueAt <= performance.now() + delayMs) return;
    this.set(delayMs, work);
  }

  clear(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }
}

/** What the work gives, or the signal's reason once it is aborted, also when the work does not listen to the signal. */
export async function within<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Waits without keeping the process alive; ends at once when the signal is aborted. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.min(delayMs, longestMs));
  timer.unref();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
