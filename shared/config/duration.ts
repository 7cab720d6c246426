const dayMs = 24 * 60 * 60 * 1000;

/** What a duration may be, in ms, both ends included. */
export interface DurationBounds {
  readonly shortestMs: number;
  readonly longestMs: number;
}

const longestMs = 10 * 365 * dayMs;

/** The bounds of each time of a policy, for settings and tags alike: whoever may edit a tag has no more to say than the app's settings. */
export const policyBounds = {
  /** Shorter ones would make version after version: a vault takes a limited number of them, and so does everybody else in it. */
  validFor: { shortestMs: 60_000, longestMs },
  rotateBefore: { shortestMs: 1_000, longestMs },
  overlap: { shortestMs: 0, longestMs },
  /** It is looked once a day whether it is time. */
  rehearse: { shortestMs: dayMs, longestMs },
} as const satisfies Readonly<Record<string, DurationBounds>>;

export type DurationOutcome =
  | { readonly kind: 'duration'; readonly ms: number }
  /** `detail` says what a duration looks like. */
  | { readonly kind: 'invalid'; readonly detail: string };

const iso = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;
const unitsMs = [7 * dayMs, dayMs, 60 * 60 * 1000, 60 * 1000, 1000];

/**
 * Reads a duration: ISO 8601 in weeks, days, hours, minutes and seconds (`P90D`, `PT12H`), or a plain number of days. Months and years
 * are refused, because their length depends on when they begin. Nothing shorter than a second, nothing longer than 100 years.
 */
export function parseDuration(text: string): DurationOutcome {
  const trimmed = text.trim();
  if (/^\d{1,5}$/.test(trimmed)) return inRange(Number(trimmed) * dayMs);
  if (/^P(?:\d+W)?(?:\d+D)?\d*[YM]/.test(trimmed) || /^P\d+Y/.test(trimmed)) {
    return { kind: 'invalid', detail: 'months and years have no fixed length: say it in days, like P90D' };
  }
  const match = iso.exec(trimmed);
  const parts = match?.slice(1) ?? [];
  if (trimmed.endsWith('T') || parts.every((part) => part === undefined)) {
    return { kind: 'invalid', detail: 'is neither a duration like P90D or PT12H nor a number of days' };
  }
  return inRange(unitsMs.reduce((sum, unitMs, index) => sum + Number(parts[index] ?? 0) * unitMs, 0));
}

/** Reads a duration that has to lie within bounds. `detail` says what is wrong, as a sentence without its subject. */
export function parseDurationWithin(text: string, bounds: DurationBounds): DurationOutcome {
  const duration = parseDuration(text);
  if (duration.kind === 'invalid') return duration;
  if (duration.ms < bounds.shortestMs) return { kind: 'invalid', detail: `is shorter than ${said(bounds.shortestMs)}` };
  if (duration.ms > bounds.longestMs) return { kind: 'invalid', detail: `is longer than ${said(bounds.longestMs)}` };
  return duration;
}

function said(ms: number): string {
  const days = ms / dayMs;
  return days >= 1 ? `${days} days` : `${ms / 1000} s`;
}

function inRange(ms: number): DurationOutcome {
  if (ms <= 36_525 * dayMs) return { kind: 'duration', ms };
  return { kind: 'invalid', detail: 'is longer than a hundred years' };
}
