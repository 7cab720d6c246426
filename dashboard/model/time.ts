/** Times for people. Everything is shown in UTC, as logs and the command line show it. */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `in 3 h`, `5 min ago`: rounded down, so that nothing seems further off than it is. Pure. */
export function relative(at: string, nowMs: number): string {
  const ms = Date.parse(at) - nowMs;
  const span = spanText(Math.abs(ms));
  if (span === '0 min') return ms > 0 ? 'now' : 'just now';
  return ms > 0 ? `in ${span}` : `${span} ago`;
}

/** The largest unit that fits. Pure. */
export function spanText(ms: number): string {
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min`;
  if (ms < 2 * dayMs) return `${Math.floor(ms / hourMs)} h`;
  return `${Math.floor(ms / dayMs)} d`;
}

/** `2026-03-01 02:14 UTC`. What is no time stands as it is. Pure. */
export function absolute(at: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(at) ? `${at.slice(0, 10)} ${at.slice(11, 16)} UTC` : at;
}

/** A sentence of the API for a page: its times as people write them, and a capital in front. Pure. */
export function sentence(detail: string): string {
  const timed = detail.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, absolute);
  return timed === '' ? '' : `${timed[0]?.toUpperCase() ?? ''}${timed.slice(1)}`;
}

/** How long something took: `340 ms`, `2.1 s`. Pure. */
export function tookText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
