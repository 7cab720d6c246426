import { app, type InvocationContext } from '@azure/functions';
import { poisonQueueOf, queueNames } from '../shared/contract/queue-names.ts';
import { logTo } from '../shared/telemetry.ts';
import type { LoadApp } from './load-app.ts';
import { storageConnection } from './storage-connection.ts';

/** Names every message that could not be processed, with the next step. One function for each queue. */
export function registerPoison(load: LoadApp): void {
  for (const queue of Object.values(queueNames)) {
    app.storageQueue(`${queue}Poison`, {
      queueName: poisonQueueOf(queue),
      connection: storageConnection,
      handler: async (message: unknown, context: InvocationContext) => {
        const { work } = await load();
        await work.namePoison(queue, message, logTo(context));
      },
    });
  }
}
