/** When a message that was not taken is sent again. Pure. */

const secondMs = 1_000;
const minuteMs = 60 * secondMs;

/** Pauses after the first, second, … attempt; the last one from then on. A receiver that is back is told within the hour. */
const pausesMs = [10 * secondMs, 30 * secondMs, ...[1, 2, 5, 10, 15, 30, 60].map((minutes) => minutes * minuteMs)];

/** For how long a message is sent again before it is given up. */
export const longestMs = 24 * 60 * minuteMs;

/**
 * Pause in ms after so many attempts, or undefined when it has been tried for long enough. `ageMs`: since the first attempt was due.
 * `askedSeconds`: what the receiver asked for. `random`, from 0 to 1, keeps a thousand messages from coming back at once.
 */
export function pauseMs(
  attempts: number,
  ageMs: number,
  askedSeconds: number | undefined,
  random: number,
): number | undefined {
  if (ageMs >= longestMs) return undefined;
  const planned = pausesMs[Math.min(attempts, pausesMs.length) - 1] ?? 0;
  const spread = planned * (1 + random / 10);
  // The last attempt is made at the very end, so that a receiver that came back in the last hour is told too.
  return Math.round(Math.min(Math.max(spread, (askedSeconds ?? 0) * secondMs), longestMs - ageMs));
}
