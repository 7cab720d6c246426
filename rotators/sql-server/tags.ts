import * as z from 'zod';
import { usersTag } from '../common/pair.ts';

/** The rotator's own tags. */
export const sqlServerTags = z.object({
  /** The two logins of `alternating-users`; derived (NAME and NAME_alt) when absent. */
  users: usersTag.optional(),
});

export type SqlServerTags = z.infer<typeof sqlServerTags>;
