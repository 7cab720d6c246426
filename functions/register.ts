import { app, type InvocationContext, output, type Timer } from '@azure/functions';
import { logTo } from '../shared/telemetry.ts';
import { guarded } from './guard.ts';
import { httpHandler } from './http.ts';
import type { LoadApp } from './load-app.ts';
import { decodeText, encodeText } from './queue-text.ts';
import { registerPage } from './register-page.ts';
import type { AppFunction } from './table.ts';

/** The setting that holds the storage account of the queues. */
export const connection = 'AzureWebJobsStorage';

/** A vault that was throttling or a storage account that was away is asked again in this run; the next one comes anyway. */
const retry = { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: { seconds: 30 } } as const;

/** For the whole app, before the first function: without it a body that is sent in chunks, with no length, arrives empty. */
export function acceptStreams(): void {
  app.setup({ enableHttpStream: true });
}

/** Done once the platform has started the app; no function waits for it. */
export function afterStart(work: () => Promise<void>): void {
  app.hook.appStart(() => {
    const log = logTo(console);
    const failed = (error: unknown) =>
      log.warn('not-done-at-start', { detail: error instanceof Error ? error.name : '' });
    work().catch(failed);
  });
}

/** Tells the platform of one function, in the words of its Node.js model. Once for each, before the first work comes. */
export function register(one: AppFunction, load: LoadApp): void {
  const { name } = one;
  switch (one.kind) {
    case 'queue':
      app.storageQueue(name, {
        ...{ queueName: one.queue, connection },
        handler: (message: unknown, context: InvocationContext) => {
          const log = logTo(context);
          return guarded(name, log, async () => one.run(await load(), decodeText(message), log));
        },
      });
      return;
    case 'timer':
      app.timer(name, {
        ...{ schedule: one.schedule, retry },
        handler: (_timer: Timer, context: InvocationContext) => {
          const log = logTo(context);
          return guarded(name, log, async () => one.run(await load(), log));
        },
      });
      return;
    case 'event': {
      const outputs = new Map(
        one.queues.map((queue) => [queue, output.storageQueue({ queueName: queue, connection })]),
      );
      const extraOutputs = [...outputs.values()];
      const handler = async (event: unknown, context: InvocationContext) => {
        const log = logTo(context);
        const { put } = await guarded(name, log, () => one.run(decodeText(event), log));
        const to = put === undefined ? undefined : outputs.get(put.queue);
        if (to !== undefined) context.extraOutputs.set(to, encodeText(put?.message));
      };
      app.eventGrid(name, { extraOutputs, handler });
      return;
    }
    case 'http':
      // Everybody is let in, and the code decides who may do what: the platform's own keys know no roles, and its authentication would
      // lock Event Grid out (docs/decisions/8-api-access.md).
      app.http(name, {
        ...{ authLevel: 'anonymous', methods: [...one.methods], route: one.route },
        handler: (request, context) => guarded(name, logTo(context), () => httpHandler(load)(request, context)),
      });
      return;
    case 'page':
      registerPage(one);
  }
}
