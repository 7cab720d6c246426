/** News that nobody waits for costs nothing: it is not put into the queue, and no function runs for it. */
import { notice } from '../contract/notice.ts';
import type { Queues } from '../contract/ports.ts';
import { queueNames } from '../contract/queue-names.ts';
import { isUnheard, type NotifierDependencies } from './notifier.ts';

/** The queues, but for notices that no channel takes. What is left out counts as enqueued. */
export function withoutUnheard(queues: Queues, heard: Pick<NotifierDependencies, 'channels' | 'standard'>): Queues {
  return {
    async enqueue(queue, message, options) {
      if (queue.name === queueNames.notifications) {
        const read = notice.safeParse(message);
        if (read.success && isUnheard(heard, read.data)) return { kind: 'enqueued' };
      }
      return queues.enqueue(queue, message, options);
    },
  };
}
