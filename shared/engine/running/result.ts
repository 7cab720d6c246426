import type { Failure } from '../../errors.ts';
import type { SkipReason } from '../policy/due.ts';

/** One step of an attempt, for people. */
export interface StepRecord {
  readonly name: string;
  readonly ms: number;
  readonly outcome: string;
}

/** What every attempt says of itself. */
export interface Attempted {
  readonly rotationId: string;
  readonly vault: string;
  readonly secret: string;
  readonly steps: readonly StepRecord[];
  /** Names of channels by the secret's tag; absent: the app's default, or the tag was not read. */
  readonly notify?: readonly string[];
}

/** The published credential, as its consumers have it. */
export interface Held {
  readonly expiresAt: Date | undefined;
  /** Whether a new credential leaves it alone until it is retired. */
  readonly outlives: boolean;
}

export interface Skipped extends Attempted {
  readonly kind: 'skipped';
  readonly reason: SkipReason;
  readonly detail: string;
}

export interface Failed extends Attempted {
  readonly kind: 'failed';
  readonly failure: Failure;
  /** The new version is current all the same; what failed came after it. */
  readonly published?: { readonly from: string; readonly to: string };
  /**
   * The target took a credential that no version holds: an idle login, a second password or a key. The next attempt overwrites, drops or
   * revokes it.
   */
  readonly unpublished?: boolean;
  /** What consumers hold while it is not rotated. Absent: it was not read. */
  readonly held?: Held;
}
