import * as z from 'zod';
import { notice } from '../contract/notice.ts';
import type { QueueOf } from '../contract/ports.ts';
import { poisonQueueOf, queueNames } from '../contract/queue-names.ts';

/** One notice for one channel. Each goes its own way, so that a broken receiver does not repeat the others. Holds no secret value. */
const deliveryMessage = z.object({
  notice,
  channel: z.string().min(1).max(64),
  /** How often it was sent before. */
  attempts: z.number().int().min(0),
  firstAt: z.iso.datetime(),
});

export type DeliveryMessage = z.infer<typeof deliveryMessage>;

export const deliveriesQueue: QueueOf<DeliveryMessage> = { name: queueNames.deliveries, schema: deliveryMessage };

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
