import * as z from 'zod';
import { usersTag } from '../common/pair.ts';

/** The tags that only this rotator reads. */
export const postgresTags = z.object({
  /** The two logins of `alternating-users`; derived (NAME and NAME_alt) when absent. */
  users: usersTag.optional(),
});

export type PostgresTags = z.infer<typeof postgresTags>;
