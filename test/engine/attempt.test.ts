/** How long a step may take: as long as the lease lasts, renewed or not, and never longer than its own limit. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Attempt, leaseMarginMs, type StepTime } from '../../shared/engine/running/attempt.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A lease that lasts until `untilMs` of the clock, which a test may move. */
function attemptWith(lease: { untilMs: number }): Attempt {
  const startedMs = Date.now();
  const elapsedMs = () => Date.now() - startedMs;
  return new Attempt(
    { remainingMs: () => lease.untilMs - elapsedMs(), release: async () => undefined },
    { elapsedMs, progress: { step: () => undefined }, wait: async () => undefined },
    { rotationId: '1'.repeat(32), vault: 'contoso-kv', secret: 'orders-db' },
  );
}

/** A step that goes on until it is told to end. Says when that was, in ms after its start. */
async function endOf(
  attempt: Attempt,
): Promise<{ readonly endedMs: () => number | undefined; readonly done: Promise<unknown> }> {
  const startedMs = Date.now();
  let ended: number | undefined;
  const done = attempt.step('apply', ({ signal }: StepTime) => {
    const { promise, resolve } = Promise.withResolvers<{ readonly kind: 'ended' }>();
    signal.addEventListener('abort', () => {
      ended = Date.now() - startedMs;
      resolve({ kind: 'ended' });
    });
    return promise;
  });
  return { endedMs: () => ended, done };
}

describe('a step', () => {
  test('is not begun on a lease that ends within the margin, and is begun on one that lasts longer', async () => {
    const begun = vi.fn(async () => ({ kind: 'done' as const }));
    expect(await attemptWith({ untilMs: leaseMarginMs }).step('apply', begun)).toMatchObject({ code: 'lease-lost' });
    expect(begun).not.toHaveBeenCalled();
    expect(await attemptWith({ untilMs: leaseMarginMs + 1 }).step('apply', begun)).toEqual({ kind: 'done' });
  });

  test('that begins in the last seconds of a lease could be answered after another worker took it over', () => {
    // A target may take as long as this to answer; a smaller margin would let a change reach it after the lease.
    expect(leaseMarginMs).toBeGreaterThanOrEqual(5_000);
  });

  test('ends with the lease that it began on, less the margin', async () => {
    const { endedMs, done } = await endOf(attemptWith({ untilMs: 20_000 }));
    await vi.advanceTimersByTimeAsync(20_000 - leaseMarginMs - 1);
    expect(endedMs()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(endedMs()).toBe(20_000 - leaseMarginMs);
    await done;
  });

  test('goes on while its lease is renewed, and ends with the last renewal', async () => {
    const lease = { untilMs: 20_000 };
    const { endedMs, done } = await endOf(attemptWith(lease));
    for (const renewedMs of [30_000, 40_000, 50_000]) {
      await vi.advanceTimersByTimeAsync(10_000);
      lease.untilMs = renewedMs;
      expect(endedMs()).toBeUndefined();
    }
    await vi.advanceTimersByTimeAsync(30_000);
    expect(endedMs()).toBe(50_000 - leaseMarginMs);
    await done;
  });

  test('ends after three minutes however long its lease is renewed', async () => {
    const { endedMs, done } = await endOf(attemptWith({ untilMs: 3_600_000 }));
    await vi.advanceTimersByTimeAsync(179_999);
    expect(endedMs()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(endedMs()).toBe(180_000);
    await done;
  });

  test('that is over leaves no timer behind', async () => {
    await attemptWith({ untilMs: 60_000 }).step('read', async () => ({ kind: 'done' as const }));
    expect(vi.getTimerCount()).toBe(0);
  });
});
