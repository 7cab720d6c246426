import { sqlErrors } from './sql-error.ts';

/** Exclusive locks on what a transaction changes, held to its end. */
export class Locks {
  readonly #holders = new Map<string, number>();
  #changed = Promise.withResolvers<void>();

  /** Waits at most `timeoutMs` (-1: for ever), then fails with error 1222 as the server does. */
  async take(name: string, session: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { promise: over, resolve: giveUp } = Promise.withResolvers<'over'>();
    const timer = timeoutMs < 0 ? undefined : setTimeout(() => giveUp('over'), timeoutMs);
    const aborted = (): void => giveUp('over');
    signal.addEventListener('abort', aborted, { once: true });
    try {
      while ((this.#holders.get(name) ?? session) !== session) {
        const outcome = await Promise.race([this.#changed.promise, over]);
        if (outcome === 'over') throw sqlErrors.lockTimeout();
      }
      this.#holders.set(name, session);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    }
  }

  release(session: number): void {
    for (const [name, holder] of this.#holders) if (holder === session) this.#holders.delete(name);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
