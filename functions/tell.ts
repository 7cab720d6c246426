/** What the trigger of the queue of news does with a message. */

import { queueNames } from '../shared/contract/queue-names.ts';
import { isFailure } from '../shared/errors.ts';
import { newsMessage } from '../shared/notify/messages.ts';
import type { Notifier } from '../shared/notify/notifier.ts';
import type { Log } from '../shared/telemetry.ts';
import { DeliverAgain, readMessage } from './read-message.ts';

export interface Tell {
  /** A notice for all its channels, or what one channel did not take. Throws where the message is to be delivered again. */
  readonly notify: (message: unknown, log: Log) => Promise<void>;
}

export function tellWith(notifier: Notifier): Tell {
  return {
    async notify(message, log) {
      const news = readMessage(queueNames.notifications, newsMessage, message);
      const outcome = 'channel' in news ? await notifier.deliver(news, log) : await notifier.fanOut(news, log);
      if (isFailure(outcome)) throw new DeliverAgain(`${outcome.code}: ${outcome.message}`);
    },
  };
}
