import type { Strategy } from '../contract/strategy.ts';
import type { Failure } from '../errors.ts';
import type { DueReason, SkipReason } from './due.ts';
import type { Evidence, Holding } from './retirement.ts';

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

export interface Rotated extends Attempted {
  readonly kind: 'rotated';
  readonly reason: DueReason;
  readonly strategy: Strategy;
  /** The version that was replaced, and the one that was made. */
  readonly from: string;
  readonly to: string;
  /** Login, slot or key id of the new credential. */
  readonly login: string;
  /** When the old credential will be dead; absent where it died at apply. */
  readonly retireBy?: Date;
  readonly expiresAt?: Date;
  readonly warnings: readonly string[];
}

export interface Retired extends Attempted {
  readonly kind: 'retired';
  /** What allowed it. */
  readonly evidence: Exclude<Evidence, 'wait'>;
  /** Who was still on the old credential, and is cut now. */
  readonly cut: Holding;
  /** The logins, slots or key ids that are dead now. */
  readonly logins: readonly string[];
  readonly sessionsEnded: number;
}

/** The old credential is in use, and its deadline is not reached. */
export interface Waiting extends Attempted {
  readonly kind: 'waiting';
  readonly holding: Holding;
  readonly retireBy: Date;
  /** Time to the deadline in ms, by the vault's clock. */
  readonly leftMs: number;
}

export interface Skipped extends Attempted {
  readonly kind: 'skipped';
  readonly reason: SkipReason;
  readonly detail: string;
}

export interface Failed extends Attempted {
  readonly kind: 'failed';
  readonly failure: Failure;
}

export type RotationResult = Rotated | Skipped | Failed;
export type RetirementResult = Retired | Waiting | Skipped | Failed;
