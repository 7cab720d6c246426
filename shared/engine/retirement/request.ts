import * as z from 'zod';
import { rotationRequest } from '../policy/request.ts';

/**
 * Somebody asks for the end of an old credential. Also the queue message `retirements`; holds no secret value.
 *
 * `mode`: `scheduled` waits for evidence or the deadline; `asked` needs the evidence now; `emergency` needs none and ends sessions.
 */
export const retirementRequest = z.object({
  vault: rotationRequest.shape.vault,
  secret: rotationRequest.shape.secret,
  /** The rotation whose old credential it is; another one on the current version makes it `superseded`. */
  rotationId: z.string().regex(/^[0-9a-f]{32}$/),
  mode: z.enum(['scheduled', 'asked', 'emergency']),
  requestedBy: z.string().min(1).max(256),
  requestedById: rotationRequest.shape.requestedById,
  /** Why, in a person's words. */
  reason: rotationRequest.shape.reason,
});

export type RetirementRequest = z.infer<typeof retirementRequest>;
