const dayMs = 24 * 60 * 60 * 1000;

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

function inRange(ms: number): DurationOutcome {
  if (ms <= 36_525 * dayMs) return { kind: 'duration', ms };
  return { kind: 'invalid', detail: 'is longer than a hundred years' };
}
