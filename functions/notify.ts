import { app, type InvocationContext } from '@azure/functions';
import { queueNames } from '../shared/contract/queue-names.ts';
import { logTo } from '../shared/telemetry.ts';
import type { LoadApp } from './load-app.ts';
import { storageConnection } from './storage-connection.ts';

/** Tells consumers and people: one notice becomes one message for each channel, and each of these is sent on its own. */
export function registerNotify(load: LoadApp): void {
  app.storageQueue('notify', {
    queueName: queueNames.notifications,
    connection: storageConnection,
    handler: async (message: unknown, context: InvocationContext) => {
      const { tell } = await load();
      await tell.notify(message, logTo(context));
    },
  });
  app.storageQueue('deliver', {
    queueName: queueNames.deliveries,
    connection: storageConnection,
    handler: async (message: unknown, context: InvocationContext) => {
      const { tell } = await load();
      await tell.deliver(message, logTo(context));
    },
  });
}
