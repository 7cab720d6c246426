import * as z from 'zod';
import { rotationRequest, secretVersion } from './request.ts';

/** A published credential is to be tried with a login. Also the queue message `checks`; holds no secret value. */
export const checkRequest = z.object({
  vault: rotationRequest.shape.vault,
  secret: rotationRequest.shape.secret,
  /** A version that was made just now, by whoever it may be. Absent: the current one, as every day. */
  version: secretVersion.optional(),
  /** The secret is to be rehearsed; `schedule`: because it is time for it, `finish`: because the one before did not end. */
  rehearse: z.enum(['schedule', 'finish']).optional(),
  /** Not the credential is looked at, but who made that version; which time this is asked of the audit log. */
  writer: z.number().int().min(1).max(3).optional(),
});

export type CheckRequest = z.infer<typeof checkRequest>;
