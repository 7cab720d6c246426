import { z } from 'zod';

const sentinel = z
  .string()
  .regex(/^[^\s]{1,200}$/, 'Tag "sentinel" must be the name of a primary as the Sentinel knows it, without blanks.');

/** The rotator's own tags. */
export const redisTags = z.object({
  /** Which primary, where the connection leads to a Sentinel that watches several. */
  sentinel: sentinel.optional(),
});

export type RedisTags = z.infer<typeof redisTags>;
