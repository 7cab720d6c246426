/**
 * The queues that no function waits for: poison, which is rare and is named to people within a quarter of an hour, and queues of a version
 * before. A trigger for each of them would look at it every few seconds, which was half of what an idle app costs.
 */
import type { LeftMessage, LeftMessages } from '../shared/contract/ports.ts';
import { formerQueues, poisonQueues } from '../shared/contract/queue-names.ts';
import { isFailure } from '../shared/errors.ts';
import { deliveriesQueue, newsMessage } from '../shared/notify/messages.ts';
import type { Log } from '../shared/telemetry.ts';
import { namePoison } from './name-poison.ts';
import { decodeText } from './queue-text.ts';
import type { WorkDependencies } from './work.ts';

export interface LeftDependencies extends WorkDependencies {
  readonly left: LeftMessages;
}

/** A flood is named over several sweeps, so that it holds up none of them. */
const mostOfOneQueue = 320;

/** Tells whether the message is done with. */
type Read = (message: unknown) => Promise<boolean>;

/** Never fails: what could not be read is read by the next sweep. A message is removed after it was named or moved, so a crash names it twice. */
export async function readLeftMessages(deps: LeftDependencies, log: Log): Promise<void> {
  const name = async (queue: string, message: unknown) => {
    await namePoison(deps, queue, message, log);
    return true;
  };
  await Promise.all([
    ...poisonQueues.map((poison) => each(deps, poison.name, log, (message) => name(poison.of, message))),
    ...Object.keys(formerQueues).map((queue) =>
      each(
        deps,
        queue,
        log,
        async (message) => (await moveDelivery(deps, queue, message, log)) ?? name(queue, message),
      ),
    ),
  ]);
}

async function each({ left }: LeftDependencies, queue: string, log: Log, read: Read): Promise<void> {
  for (let count = 0; count < mostOfOneQueue; ) {
    const taken = await left.take(queue);
    if (isFailure(taken)) {
      log.warn('left-messages-unread', { queue, code: taken.code, detail: taken.message });
      return;
    }
    for (const message of taken.messages) {
      if (await read(contentOf(message))) await message.remove();
    }
    if (taken.messages.length === 0) return;
    count += taken.messages.length;
  }
}

/** What a delivery waited for it goes on to wait for in the queue of news. Undefined: it is no delivery. */
async function moveDelivery(
  { queues }: LeftDependencies,
  queue: string,
  message: unknown,
  log: Log,
): Promise<boolean | undefined> {
  const read = newsMessage.safeParse(message);
  if (!read.success || !('channel' in read.data)) return undefined;
  const enqueued = await queues.enqueue(deliveriesQueue, read.data, { secret: read.data.notice.secret });
  if (!isFailure(enqueued)) return true;
  log.warn('left-messages-unread', { queue, code: enqueued.code, detail: enqueued.message });
  return false;
}

/** The platform parses JSON before a function sees it; here it is not parsed yet. */
function contentOf({ text }: LeftMessage): unknown {
  const content = decodeText(text);
  if (typeof content !== 'string') return content;
  try {
    return JSON.parse(content);
  } catch (notJson) {
    if (notJson instanceof SyntaxError) return content;
    throw notJson;
  }
}
