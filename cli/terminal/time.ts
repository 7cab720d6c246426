/** Times for people. Exact ones are in `--json`. */
const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** A length of time in one unit, the largest of which there are nearly two: `90 d`, `30 h`, `90 min`. */
export function lengthOf(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [name, size] = units.find(([, size]) => whole >= size * 1.95) ?? units[3];
  return `${Math.round(whole / size)} ${name}`;
}

/** `in 3 d`, `5 min ago`. */
export function relative(time: string | undefined, now: Date): string {
  if (time === undefined) return '';
  const seconds = (Date.parse(time) - now.getTime()) / 1000;
  if (Number.isNaN(seconds)) return time;
  if (Math.abs(seconds) < 1) return 'now';
  return seconds > 0 ? `in ${lengthOf(seconds)}` : `${lengthOf(-seconds)} ago`;
}

/** To the minute, in UTC, with how far away it is. */
export function absolute(time: string | undefined, now: Date): string {
  if (time === undefined) return '';
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC (${relative(time, now)})`;
}

export function milliseconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
