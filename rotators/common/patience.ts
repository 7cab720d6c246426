import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from '../../shared/contract/rotator.ts';

/** Left over of a call's time when waiting ends, so that the answer still arrives inside the lease. */
const reserveMs = 3_000;

/** Between two tries, whatever the other side asks for. */
const shortestMs = 50;

export interface Patience {
  /** Between two tries, in ms. */
  readonly intervalMs: number;
  /** Longest wait in all, in ms; less when the step has less time left. */
  readonly deadlineMs: number;
}

export interface Waiting {
  /** Waits once more: the interval, or what the other side asked for. `false` when that is more than is left. */
  again(askedMs?: number): Promise<boolean>;
}

/** A wait that ends with the patience, with the step's time, or when the step is aborted, whichever comes first. */
export function startWaiting(step: Pick<Step, 'signal' | 'remainingMs'>, patience: Patience): Waiting {
  const endsAt = performance.now() + patience.deadlineMs;
  return {
    async again(askedMs) {
      const waitMs = Math.max(askedMs ?? patience.intervalMs, shortestMs);
      if (performance.now() + waitMs > endsAt || step.remainingMs() < waitMs + reserveMs || step.signal.aborted)
        return false;
      try {
        await sleep(waitMs, undefined, { signal: step.signal });
        return true;
      } catch (error) {
        // The only thing that ends this sleep early is the signal.
        if (step.signal.aborted) return false;
        throw error;
      }
    },
  };
}
