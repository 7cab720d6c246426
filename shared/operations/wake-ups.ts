/** Brings somebody back to a rotation whose worker died, about a lease later and not when the platform gives its message back. */
import { afterLeaseMs, type Queues } from '../contract/ports.ts';
import type { WakeUps } from '../engine/running/dependencies.ts';
import { isFailure } from '../errors.ts';
import { rotationsQueue } from './queues.ts';

/**
 * A copy of the request, hidden until the lease can have run out: the platform keeps the message of a dead worker for ten minutes. A
 * worker that comes back takes the copy out of the queue again; one that stays is a duplicate, and finds its work done.
 */
export function queuedWakeUps(queues: Queues): WakeUps {
  return {
    async set(request) {
      const { secret } = request;
      const enqueued = await queues.enqueue(rotationsQueue, request, { secret, delayMs: afterLeaseMs });
      if (isFailure(enqueued)) return enqueued;
      return { kind: 'set', withdraw: async () => enqueued.withdraw?.() };
    },
  };
}
