import { app, type InvocationContext, type Timer } from '@azure/functions';
import { queueNames } from '../shared/contract/queue-names.ts';
import { logTo } from '../shared/telemetry.ts';
import type { LoadApp } from './load-app.ts';
import { storageConnection } from './storage-connection.ts';

/** A vault that was throttling or a storage account that was away is asked again in this run; the next one comes anyway. */
const retry = { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: { seconds: 30 } } as const;

/** The sweep finds what events missed; once a day every managed credential is tried. Schedules are NCRONTAB, as the settings give them. */
export function registerTimers(load: LoadApp, schedules: { readonly sweep: string; readonly drift: string }): void {
  app.timer('sweep', {
    schedule: schedules.sweep,
    retry,
    handler: async (_timer: Timer, context: InvocationContext) => {
      const { schedule } = await load();
      await (await schedule()).sweep(logTo(context));
    },
  });
  app.timer('drift', {
    schedule: schedules.drift,
    retry,
    handler: async (_timer: Timer, context: InvocationContext) => {
      const { schedule } = await load();
      await (await schedule()).drift(logTo(context));
    },
  });
  app.storageQueue('check', {
    queueName: queueNames.checks,
    connection: storageConnection,
    handler: async (message: unknown, context: InvocationContext) => {
      const { schedule } = await load();
      await (await schedule()).check(message, logTo(context));
    },
  });
}
