import { poisonQueueOf, queueNames } from '../shared/contract/queue-names.ts';
import type { Log } from '../shared/telemetry.ts';
import type { EventOutcome } from './secret-event.ts';

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
  const outcome = await heard(vaults, event, log);
  switch (outcome.kind) {
    case 'request':
      return { put: { queue: queueNames.rotations, message: outcome.request } };
    case 'new-version':
      return { put: { queue: queueNames.checks, message: outcome.request } };
    case 'ignored':
      return {};
    case 'refused':
      return { put: { queue: poisonQueueOf(queueNames.rotations), message: { refused: outcome.detail } } };
  }
}

export interface EventWork {
  readonly rotate: (message: unknown, log: Log) => Promise<void>;
  readonly check: (message: unknown, log: Log) => Promise<void>;
  readonly refuse: (queue: string, message: { readonly refused: string }, log: Log) => Promise<void>;
}

/**
 * The same event out of the queue that Event Grid puts it into. Nobody waits for an answer, so what it asks for is done at once: a second
 * queue would cost three calls and one more function. Throws where the message is to be delivered again.
 */
export async function doSecretEvent(
  vaults: ReadonlySet<string>,
  { rotate, check, refuse }: EventWork,
  event: unknown,
  log: Log,
): Promise<void> {
  const outcome = await heard(vaults, event, log);
  switch (outcome.kind) {
    case 'request':
      return rotate(outcome.request, log);
    case 'new-version':
      return check(outcome.request, log);
    case 'ignored':
      return;
    case 'refused':
      return refuse(queueNames.secretEvents, { refused: outcome.detail }, log);
  }
}

async function heard(vaults: ReadonlySet<string>, event: unknown, log: Log): Promise<EventOutcome> {
  // Loaded with the first event: what reads events takes longer to load than everything that is needed to start.
  const { readSecretEvent } = await import('./secret-event.ts');
  const outcome = readSecretEvent(event, vaults);
  switch (outcome.kind) {
    case 'request':
      log.info('event-accepted', { secret: outcome.request.secret, requestedBy: outcome.request.requestedBy });
      break;
    case 'new-version':
      log.info('event-accepted', { secret: outcome.request.secret, requestedBy: outcome.kind });
      break;
    case 'ignored':
      log.info('event-ignored', { detail: outcome.detail });
      break;
    case 'refused':
      log.error('event-refused', { detail: outcome.detail });
  }
  return outcome;
}
