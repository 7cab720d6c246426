import type { Strategy } from '../../contract/strategy.ts';
import type { DueReason } from '../policy/due.ts';
import type { Attempted, Failed, Skipped } from '../running/result.ts';

export interface Rotated extends Attempted {
  readonly kind: 'rotated';
  /** Why it was due; `found`: its version was there already. */
  readonly reason: DueReason | 'found';
  readonly strategy: Strategy;
  /** The version that was replaced, and the one that was made. */
  readonly from: string;
  readonly to: string;
  /** Login, slot or key id of the new credential, where it is at hand. */
  readonly login?: string;
  /** When the old credential will be dead; absent where it died at apply. */
  readonly retireBy?: Date;
  readonly expiresAt?: Date;
  readonly warnings: readonly string[];
  /**
   * The version was there already. `finished`: whoever made it died before all that follows was done, and this attempt did it. `seen`: all
   * was done before, so there is no news. Absent: this attempt made it.
   */
  readonly found?: 'finished' | 'seen';
}

export type RotationResult = Rotated | Skipped | Failed;
