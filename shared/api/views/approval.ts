/** A request that waits for a second person, as people see it. */
import * as z from 'zod';
import { type Approval, approvalActions } from '../../contract/approvals.ts';
import { time } from '../fields.ts';

export const approvalView = z
  .object({
    approvalId: z.string().describe('Also the id of the rotation that follows it.'),
    action: z.enum(approvalActions),
    vault: z.string().describe('`*`: what a selector finds.'),
    secret: z.string(),
    matched: z.int().optional().describe('How many secrets a selector found.'),
    asked: z.unknown().describe('The body of the request.'),
    reason: z.string(),
    requestedBy: z.string(),
    requestedAt: time,
    expiresAt: time,
    state: z.enum(['waiting', 'approved', 'expired']),
    approvedBy: z.string().optional(),
    approvedAt: time.optional(),
  })
  .meta({ id: 'Approval' });
export type ApprovalView = z.infer<typeof approvalView>;

/** What waits longer than it may counts as expired, whoever has written that down. Pure. */
export function stateOf({ state, expiresAt }: Approval, now: Date): Approval['state'] {
  return state === 'waiting' && now >= expiresAt ? 'expired' : state;
}

export function viewApproval(approval: Approval, now: Date): ApprovalView {
  const { id, action, vault, secret, count, body, reason, requester, at, expiresAt, approver } = approval;
  return {
    ...{ approvalId: id, action, vault, secret, asked: JSON.parse(body), reason, requestedBy: requester.name },
    ...(count === undefined ? {} : { matched: count }),
    ...{ requestedAt: at.toISOString(), expiresAt: expiresAt.toISOString(), state: stateOf(approval, now) },
    ...(approver === undefined ? {} : { approvedBy: approver.name, approvedAt: approver.at.toISOString() }),
  };
}
