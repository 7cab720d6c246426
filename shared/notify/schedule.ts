/** When a message that was not taken is sent again, and when it is given up. Pure. */
import { noticeBackoff } from '../backoff.ts';

/** For how long a message is sent again before it is given up. */
export const longestMs = 24 * 60 * 60 * 1_000;

/**
 * Pause in ms after so many attempts, or undefined when it has been tried for long enough. `ageMs`: since the first attempt was due.
 * `askedSeconds`: what the receiver asked for. `random`: from 0 to 1.
 */
export function pauseMs(
  attempts: number,
  ageMs: number,
  askedSeconds: number | undefined,
  random: number,
): number | undefined {
  if (ageMs >= longestMs) return undefined;
  // The last attempt is made at the very end, so that a receiver that came back in the last hour is told too.
  return Math.min(noticeBackoff.pauseMs(attempts, random, askedSeconds), longestMs - ageMs);
}
