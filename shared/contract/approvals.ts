/**
 * Requests that wait for a second person. Losing one costs that it has to be asked for again: nothing is ever done without the record that it
 * was approved. Nothing here holds a secret value.
 */
import type { Failure } from '../errors.ts';
import type { Grant } from './access.ts';

/** Which requests may be made to wait. `many`: by a selector. `force`: what the admin, or the end of sessions, makes possible. */
export const approvalKinds = ['emergency', 'many', 'force'] as const;

export type ApprovalKind = (typeof approvalKinds)[number];

export const approvalActions = ['rotate', 'emergency', 'rollback', 'repair', 'retire', 'rotations'] as const;

export type ApprovalAction = (typeof approvalActions)[number];

/** What the settings ask for. */
export interface FourEyes {
  readonly kinds: readonly ApprovalKind[];
  /** How long a request waits, in ms. */
  readonly withinMs: number;
  /** The app's own host, as the platform names it: where a link in a message leads. Never taken from a request. */
  readonly host?: string;
}

export interface Approval {
  /** The id of the rotation that it asks for, 32 hex digits. */
  readonly id: string;
  readonly action: ApprovalAction;
  /** `*` for what a selector finds. */
  readonly vault: string;
  readonly secret: string;
  /** What was asked, as JSON. */
  readonly body: string;
  /** A hash of what was asked, of the version and the tags it was asked for, or of all that a selector found: an approval covers nothing else. */
  readonly fingerprint: string;
  /** How many secrets a selector found. */
  readonly count?: number;
  readonly reason: string;
  readonly requester: { readonly id: string; readonly name: string; readonly grants: readonly Grant[] };
  readonly at: Date;
  readonly expiresAt: Date;
  readonly state: 'waiting' | 'approved' | 'expired';
  readonly approver?: { readonly id: string; readonly name: string; readonly at: Date };
}

export type Decided =
  /** `before`: somebody else was first, or its time was over; it is as it was. */
  | { readonly kind: 'decided'; readonly before: boolean; readonly approval: Approval }
  | { readonly kind: 'unknown' }
  | Failure;

export interface Approvals {
  /** Keeps a request; one of the same id stays as it is, and is given back. */
  add(approval: Approval): Promise<{ readonly kind: 'waiting' | 'known'; readonly approval: Approval } | Failure>;
  get(id: string): Promise<{ readonly kind: 'got'; readonly approval: Approval | undefined } | Failure>;
  /** All that are kept. A failure ends the listing. */
  all(): AsyncIterable<{ readonly kind: 'approval'; readonly approval: Approval } | Failure>;
  /** Ends the waiting of a request; of any number who try at the same moment one succeeds. `approver` absent: its time is over. */
  decide(id: string, approver: Approval['approver']): Promise<Decided>;
  /** Takes one out of the list. May be called again. */
  forget(id: string): Promise<{ readonly kind: 'forgotten' } | Failure>;
}
