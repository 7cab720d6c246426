/** What the command and its worker processes say to each other. Credentials pass here only, from a child to whoever started it. */
import * as z from 'zod';

const point = z.object({
  /** The n-th side effect of this delivery. */
  call: z.number(),
  when: z.enum(['before', 'after']),
});

export type Point = z.infer<typeof point>;

export const order = z.object({
  id: z.number(),
  activity: z.enum(['rotation', 'retirement']),
  message: z.looseObject({ secret: z.string() }),
  /** Where the worker stands still, until it is killed. Absent: it goes on to the end. */
  point: point.optional(),
});

export type Order = z.infer<typeof order>;

const made = z.object({ username: z.string().optional(), password: z.string(), keyId: z.string().optional() });

export type Made = z.infer<typeof made>;

export const answer = z.object({
  id: z.number(),
  /** `standing`: it has come to its point, and goes no further. */
  kind: z.enum(['standing', 'ended']),
  /** The names of its side effects, in order. */
  calls: z.array(z.string()),
  /** Every credential that it proposed or that the target made. */
  made: z.array(made),
  /** What the worker logged last of the outcome; absent while it stands. */
  outcome: z.string().optional(),
  detail: z.string().optional(),
});

export type Answer = z.infer<typeof answer>;
