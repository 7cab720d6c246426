import * as z from 'zod/mini';
import { type NewsReader, secretRotated } from './news-reader.ts';
import { answer, type PushAnswer } from './request.ts';

const name = z.string().check(z.minLength(1), z.maxLength(127));

/** CloudEvents 1.0 in JSON, and the body of a webhook, have these in common. Further fields of the data are for other readers. */
export const rotationEvent = z.object({
  type: z.string().check(z.minLength(1)),
  data: z.unknown(),
});

const rotatedData = z.object({
  vault: name,
  secret: name,
  version: name,
  rotationId: z.optional(z.string()),
});

/**
 * Tells the secrets of one event, and waits until the vault was read. Anything but a rotation is fine and does nothing. A 503 asks the
 * sender to send it again, as the vault could not be read now.
 */
export async function deliver(
  event: z.infer<typeof rotationEvent>,
  secrets: Iterable<NewsReader>,
): Promise<PushAnswer> {
  if (event.type !== secretRotated) return answer(204);
  const data = rotatedData.safeParse(event.data);
  if (!data.success) return answer(400, `The data of ${secretRotated} must hold vault, secret and version.`);
  const { vault, secret, version } = data.data;
  const told = await Promise.all([...secrets].map((one) => one.notify({ vault, secret, version })));
  const waits = told.map((one) => {
    if (one.kind === 'limited') return Math.ceil(one.retryAfterMs / 1000);
    return one.kind === 'failed' ? 10 : 0;
  });
  const longest = Math.max(0, ...waits);
  if (longest === 0) return answer(204);
  return answer(503, 'The vault could not be read now.', { 'retry-after': String(longest) });
}
