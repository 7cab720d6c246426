import type { z } from 'zod';

/** Thrown so that the platform delivers the message again, and keeps it as poison after the last time. */
export class DeliverAgain extends Error {
  override readonly name = 'DeliverAgain';
}

/** A message of a queue by its schema. Throws where it cannot be read: it becomes poison, and is named with the next step. */
export function readMessage<Message>(queue: string, schema: z.ZodType<Message>, message: unknown): Message {
  if (typeof message === 'string')
    throw new DeliverAgain(`a message of the queue ${queue} is neither JSON nor base64 of JSON`);
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new DeliverAgain(`a message of the queue ${queue} cannot be read: ${problems.join('; ')}`);
}
