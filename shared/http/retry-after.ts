/**
 * The wait that an answer asks for, in s, from its `Retry-After`: seconds, or a date against `now`. Undefined where it is neither, or where
 * no clock is given for a date. Source: RFC 9110, section 10.2.3.
 */
export function retryAfterSeconds(header: string | undefined, now: Date | undefined): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const until = Date.parse(text);
  if (Number.isNaN(until) || now === undefined) return undefined;
  return Math.max(0, Math.ceil((until - now.getTime()) / 1000));
}

/** The other side's own clock, from the header `Date` of its answer; undefined where it is missing. */
export function dateOf(header: string | undefined): Date | undefined {
  const at = Date.parse(header ?? '');
  return Number.isNaN(at) ? undefined : new Date(at);
}
