import { app, type InvocationContext } from '@azure/functions';
import { queueNames } from '../shared/contract/queue-names.ts';
import { logTo } from '../shared/telemetry.ts';
import type { LoadApp } from './load-app.ts';
import { storageConnection } from './storage-connection.ts';

/** Ends old credentials: each message becomes visible when its overlap is over. */
export function registerRetire(load: LoadApp): void {
  app.storageQueue('retire', {
    queueName: queueNames.retirements,
    connection: storageConnection,
    handler: async (message: unknown, context: InvocationContext) => {
      const { work } = await load();
      await work.retire(message, logTo(context));
    },
  });
}
