/** How much waits in each queue of the app, for people. */
import type { QueueDepths } from '../contract/ports.ts';
import { poisonQueueOf, queueNames } from '../contract/queue-names.ts';
import type { StorageClients } from './connect.ts';
import { storageFailure, storageFault } from './fault.ts';

export function queueDepths({ queues, within }: Pick<StorageClients, 'queues' | 'within'>): QueueDepths {
  const depthOf = async (queue: string) => {
    try {
      const { approximateMessagesCount = 0 } = await queues.getQueueClient(queue).getProperties(within());
      return { queue, messages: approximateMessagesCount };
    } catch (error) {
      const fault = storageFault(error);
      // A queue is made with its first message.
      if (fault.status === 404) return { queue, messages: 0 };
      return storageFailure(fault, 'queue', queue);
    }
  };
  return {
    async all() {
      const names = Object.values(queueNames).flatMap((name) => [name, poisonQueueOf(name)]);
      const counted = [];
      for (const one of await Promise.all(names.map(depthOf))) {
        if ('code' in one) return one;
        counted.push(one);
      }
      return { kind: 'counted', queues: counted };
    },
  };
}
