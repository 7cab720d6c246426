/** Brings somebody back to a rotation or a retirement whose worker died, about a lease later and not when the platform gives its message back. */
import { afterLeaseMs, type QueueOf, type Queues } from '../contract/ports.ts';
import type { WakeUps } from '../engine/running/dependencies.ts';
import { isFailure } from '../errors.ts';
import { retirementsQueue, rotationsQueue } from './queues.ts';

/**
 * A copy of the request, hidden until the lease can have run out: the platform keeps the message of a dead worker for ten minutes. A
 * worker that comes back takes the copy out of the queue again; one that stays is a duplicate, and finds its work done.
 */
export function queuedWakeUps(queues: Queues): WakeUps {
  const setIn = async <Request extends { readonly secret: string }>(queue: QueueOf<Request>, request: Request) => {
    const enqueued = await queues.enqueue(queue, request, { secret: request.secret, delayMs: afterLeaseMs });
    if (isFailure(enqueued)) return enqueued;
    return { kind: 'set' as const, withdraw: async () => enqueued.withdraw?.() };
  };
  return {
    set: (request) => setIn(rotationsQueue, request),
    setForEnd: (request) => setIn(retirementsQueue, request),
  };
}
