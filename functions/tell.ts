/** What the triggers of the queues of news do with a message. */

import { notice } from '../shared/contract/notice.ts';
import { queueNames } from '../shared/contract/queue-names.ts';
import { isFailure } from '../shared/errors.ts';
import { deliveriesQueue } from '../shared/notify/messages.ts';
import type { Notifier } from '../shared/notify/notifier.ts';
import type { Log } from '../shared/telemetry.ts';
import { DeliverAgain, readMessage } from './read-message.ts';

/** Both throw where the message is to be delivered again. */
export interface Tell {
  /** One notice becomes one message for each channel. */
  readonly notify: (message: unknown, log: Log) => Promise<void>;
  /** One notice to one channel. */
  readonly deliver: (message: unknown, log: Log) => Promise<void>;
}

export function tellWith(notifier: Notifier): Tell {
  return {
    async notify(message, log) {
      const outcome = await notifier.fanOut(readMessage(queueNames.notifications, notice, message), log);
      if (isFailure(outcome)) throw new DeliverAgain(`${outcome.code}: ${outcome.message}`);
    },
    async deliver(message, log) {
      const outcome = await notifier.deliver(readMessage(queueNames.deliveries, deliveriesQueue.schema, message), log);
      if (isFailure(outcome)) throw new DeliverAgain(`${outcome.code}: ${outcome.message}`);
    },
  };
}
