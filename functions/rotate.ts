import { app, type InvocationContext } from '@azure/functions';
import { queueNames } from '../shared/contract/queue-names.ts';
import { logTo } from '../shared/telemetry.ts';
import type { LoadApp } from './load-app.ts';
import { storageConnection } from './storage-connection.ts';

/** The worker: takes one request at a time from the queue and calls the engine. A throw makes the platform deliver it again later. */
export function registerRotate(load: LoadApp): void {
  app.storageQueue('rotate', {
    queueName: queueNames.rotations,
    connection: storageConnection,
    handler: async (message: unknown, context: InvocationContext) => {
      const { work } = await load();
      await work.rotate(message, logTo(context));
    },
  });
}
