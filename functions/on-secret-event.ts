import { poisonQueueOf, queueNames } from '../shared/contract/queue-names.ts';
import type { Log } from '../shared/telemetry.ts';

/** What an event leads to: a message for a queue, or nothing. */
export interface Taken {
  readonly put?: { readonly queue: string; readonly message: unknown };
}

/**
 * Event Grid tells of a secret in one of the vaults (names in lower case). Only parses, for the caller to enqueue: Event Grid waits 30 s and
 * does not retry some answers. An event that cannot be processed is put where a person is told of it; retrying it for a day would change
 * nothing.
 */
export async function takeSecretEvent(vaults: ReadonlySet<string>, event: unknown, log: Log): Promise<Taken> {
  // Loaded with the first event: what reads events takes longer to load than everything that is needed to start.
  const { readSecretEvent } = await import('./secret-event.ts');
  const outcome = readSecretEvent(event, vaults);
  switch (outcome.kind) {
    case 'request':
      log.info('event-accepted', { secret: outcome.request.secret, requestedBy: outcome.request.requestedBy });
      return { put: { queue: queueNames.rotations, message: outcome.request } };
    case 'new-version':
      log.info('event-accepted', { secret: outcome.request.secret, requestedBy: outcome.kind });
      return { put: { queue: queueNames.checks, message: outcome.request } };
    case 'ignored':
      log.info('event-ignored', { detail: outcome.detail });
      return {};
    case 'refused':
      log.error('event-refused', { detail: outcome.detail });
      return { put: { queue: poisonQueueOf(queueNames.rotations), message: { refused: outcome.detail } } };
  }
}
