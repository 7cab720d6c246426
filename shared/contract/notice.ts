import * as z from 'zod';
import { approvalActions } from './approvals.ts';
import { type NoticeType, noticeTypes } from './notice-types.ts';
import { activities } from './state.ts';

const time = z.iso.datetime();

/** News of one secret. Also the queue message `notifications`; holds no secret value. */
export const notice = z.object({
  /** The same for every delivery and every retry of one event: receivers drop duplicates by it. */
  id: z.string().min(1).max(128),
  type: z.enum(noticeTypes),
  vault: z.string().min(1).max(255),
  secret: z.string().regex(/^[0-9a-zA-Z-]{1,127}$/),
  rotationId: z.string(),
  at: time,
  /** The version that is current now, and the one before. */
  version: z.string().optional(),
  from: z.string().optional(),
  /** Login, slot or key id: the name of the credential. */
  login: z.string().optional(),
  expiresAt: time.optional(),
  retireBy: time.optional(),
  /** Who must acknowledge the version. */
  consumers: z.array(z.string()).optional(),
  /** Who is on the old credential: waited for, or cut. */
  holding: z.array(z.string()).optional(),
  /** What failed; absent: a rotation. */
  activity: z.enum(activities).optional(),
  failure: z.object({ code: z.string(), message: z.string(), hint: z.string(), page: z.string() }).optional(),
  /** Of a failure: whether the published credential still works for its consumers, and until when at the latest. Absent: not known. */
  stillWorks: z.enum(['yes', 'no', 'unknown']).optional(),
  worksUntil: time.optional(),
  /** When it is tried again without anybody asking; absent with a failure: when somebody asks. */
  nextTryAt: time.optional(),
  /** When a scheduled rotation starts, or a person has to begin. */
  dueAt: time.optional(),
  /** Who replaces it by hand, and where. */
  owner: z.string().optional(),
  link: z.string().optional(),
  /** What waits for a second person, or goes on without one. */
  approval: z
    .object({
      id: z.string(),
      action: z.enum(approvalActions),
      by: z.string(),
      reason: z.string(),
      expiresAt: time.optional(),
      /** Secrets that a selector found. */
      count: z.number().int().optional(),
      /** A page that signs in and asks. Opening it changes nothing. */
      link: z.string().optional(),
    })
    .optional(),
  /** What a person should know although it succeeded. */
  warnings: z.array(z.string()).optional(),
  /** The page of the secret in the app's dashboard, where the app knows its own address. */
  dashboard: z.string().optional(),
  /** Names of channels; absent: the app's default. */
  channels: z.array(z.string().min(1).max(64)).optional(),
});

export type Notice = z.infer<typeof notice>;

/**
 * The id of a rotation's notice. The news of the rotation itself carries the rotation's own id. `detail` tells apart what else may happen
 * more than once in a rotation; without it a repeated notice is the same news, and told once.
 */
export function noticeId(type: NoticeType, rotationId: string, detail = ''): string {
  return type === 'rotated' ? rotationId : [rotationId, type, detail].filter((part) => part !== '').join('-');
}
