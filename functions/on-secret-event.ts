import { app, type InvocationContext, output } from '@azure/functions';
import { poisonQueueOf, queueNames } from '../shared/contract/queue-names.ts';
import { logTo } from '../shared/telemetry.ts';
import { storageConnection } from './storage-connection.ts';

const rotations = output.storageQueue({ queueName: queueNames.rotations, connection: storageConnection });
const poison = output.storageQueue({ queueName: poisonQueueOf(queueNames.rotations), connection: storageConnection });

/**
 * Event Grid tells of a secret in one of the vaults (names in lower case). Only parses and enqueues: Event Grid waits 30 s and does not retry some answers. An event that cannot
 * be processed is put where a person is told of it; retrying it for a day would change nothing.
 */
export function registerOnSecretEvent(vaults: ReadonlySet<string>): void {
  app.eventGrid('onSecretEvent', {
    extraOutputs: [rotations, poison],
    handler: async (event: unknown, context: InvocationContext) => {
      // Loaded with the first event: what reads events takes longer to load than everything that is needed to start.
      const { readSecretEvent } = await import('./secret-event.ts');
      const outcome = readSecretEvent(event, vaults);
      const log = logTo(context);
      switch (outcome.kind) {
        case 'request':
          context.extraOutputs.set(rotations, outcome.request);
          log.info('event-accepted', { secret: outcome.request.secret, requestedBy: outcome.request.requestedBy });
          return;
        case 'ignored':
          log.info('event-ignored', { detail: outcome.detail });
          return;
        case 'refused':
          context.extraOutputs.set(poison, { refused: outcome.detail });
          log.error('event-refused', { detail: outcome.detail });
          return;
      }
    },
  });
}
