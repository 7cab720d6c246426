import { z } from 'zod';
import { usersTag } from '../common/pair.ts';

const accounts = ['login', 'contained-user'] as const;

/** What a secret's own tags say to this rotator. */
export interface SqlServerTags {
  readonly users?: readonly [string, string] | undefined;
  /** Absent: found out by asking the server. */
  readonly account?: (typeof accounts)[number] | undefined;
}

const accountMessage =
  'The tag "account" takes "login" (a login of the server) or "contained-user" (a user whose password is in its database); leave it out to have Keyturn find out.';

export const sqlServerTags: z.ZodType<SqlServerTags> = z.object({
  users: usersTag.optional(),
  account: z.enum(accounts, { error: accountMessage }).optional(),
});
