/** Whether an old credential may end: who is still on it, and what allows it. */
import type { RetirementRequest } from './request.ts';

/** Who still keeps an old credential alive. */
export interface Holding {
  /** Live sessions, as the target names where they come from. */
  readonly sessions: readonly string[];
  /** Consumers that have not acknowledged the new version. */
  readonly consumers: readonly string[];
  /** Whether nothing is left to learn of its sessions: the target has said who is on it, or never tells one credential's from another's. */
  readonly known: boolean;
}

/** Whether there is evidence that nobody uses the old credential any more. Without consumers to ask, no session alone is no evidence:
 * somebody may hold the password and connect later. */
export function isFree(holding: Holding, named: number): boolean {
  return named > 0 && holding.known && holding.sessions.length === 0 && holding.consumers.length === 0;
}

export type Evidence = 'free' | 'deadline' | 'asked' | 'emergency' | 'wait';

/** Decides on the end of an old credential. Pure. */
export function judgeEvidence(
  mode: RetirementRequest['mode'],
  holding: Holding,
  named: number,
  retireBy: Date,
  now: Date,
): Evidence {
  if (mode === 'emergency') return 'emergency';
  if (now >= retireBy) return 'deadline';
  if (isFree(holding, named)) return 'free';
  const seen = holding.sessions.length > 0 || holding.consumers.length > 0;
  return mode === 'asked' && !seen ? 'asked' : 'wait';
}
