import * as z from 'zod';
import { type Notice, notice } from '../contract/notice.ts';
import type { QueueOf } from '../contract/ports.ts';
import { poisonQueueOf, queueNames } from '../contract/queue-names.ts';

/** One notice for one channel that did not take it. Each goes its own way, so that a broken receiver does not repeat the others. Holds no secret value. */
export const deliveryMessage = z.object({
  notice,
  channel: z.string().min(1).max(64),
  /** How often it was sent before. */
  attempts: z.number().int().min(0),
  firstAt: z.iso.datetime(),
});

export type DeliveryMessage = z.infer<typeof deliveryMessage>;

/** What the queue of news holds: a notice for all its channels, or what one channel did not take. Of versions before, too. */
export const newsMessage: z.ZodType<DeliveryMessage | Notice> = z.preprocess(named, z.union([deliveryMessage, notice]));

/** 0.1.0 called a secret that is paused after failures `quarantined`. */
function named(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message;
  if ('notice' in message) return { ...message, notice: named(message.notice) };
  return 'type' in message && message.type === 'quarantined' ? { ...message, type: 'paused' } : message;
}

export const deliveriesQueue: QueueOf<DeliveryMessage> = { name: queueNames.notifications, schema: deliveryMessage };

const poisonMessage = deliveryMessage.extend({
  secret: z.string(),
  /** Why it was given up, and what to do. */
  refused: z.string(),
  hint: z.string(),
});

/** What was tried for as long as it makes sense. The platform puts here what it delivered too often. */
export const givenUpQueue: QueueOf<z.infer<typeof poisonMessage>> = {
  name: poisonQueueOf(deliveriesQueue.name),
  schema: poisonMessage,
};
