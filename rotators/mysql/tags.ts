import * as z from 'zod';
import { usersTag } from '../common/pair.ts';

/** The rotator's own tags. */
export const mysqlTags = z.object({
  /** The two logins of `alternating-users`. */
  users: usersTag.optional(),
});

export type MysqlTags = z.infer<typeof mysqlTags>;
