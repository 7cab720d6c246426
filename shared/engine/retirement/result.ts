import type { Attempted, Failed, Skipped } from '../running/result.ts';
import type { Evidence, Holding } from './evidence.ts';

export interface Retired extends Attempted {
  readonly kind: 'retired';
  /** What allowed it. */
  readonly evidence: Exclude<Evidence, 'wait'>;
  /** Who was still on the old credential, and is cut now. */
  readonly cut: Holding;
  /** The logins, slots or key ids that are dead now. */
  readonly logins: readonly string[];
  readonly sessionsEnded: number;
  /** Sessions that go on although the credential is refused. */
  readonly sessionsGoOn: number;
  /** How it is known that the credential is refused, where that is no refused login. */
  readonly proofs: readonly string[];
}

/** The old credential is in use, and its deadline is not reached. */
export interface Waiting extends Attempted {
  readonly kind: 'waiting';
  readonly holding: Holding;
  readonly retireBy: Date;
  /** Time to the deadline in ms, by the vault's clock. */
  readonly leftMs: number;
}

export type RetirementResult = Retired | Waiting | Skipped | Failed;
