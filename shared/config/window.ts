/** When scheduled rotations may start: hours of a wall clock in one time zone. */
import * as z from 'zod';

const dayNames: readonly string[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

interface Span {
  /** 0 is Monday. */
  readonly days: ReadonlySet<number>;
  /** Minutes of the day; an end at or before the beginning is on the next day. */
  readonly from: number;
  readonly to: number;
}

/** A window that was read. */
export interface Window {
  readonly text: string;
  readonly zone: string;
  readonly spans: readonly Span[];
}

const spanText =
  /^(?:(?<days>[a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3}(?:-[a-z]{3})?)*)\s+)?(?<from>\d{2}:\d{2})-(?<to>\d{2}:\d{2})$/i;
const example = 'is like "Mon-Fri 01:00-05:00 Europe/Berlin", several separated by ";", the zone last';

/**
 * The tag `window`: `[DAYS ]HH:MM-HH:MM[; …] ZONE`. Hours are those of the zone's wall clock, so the window moves with daylight saving:
 * an hour that does not exist on the day of the change does not open it, and one that comes twice opens it twice.
 */
export const windowTag = z.string().transform((text, context): Window => {
  const parsed = parseWindow(text.trim());
  if (typeof parsed !== 'string') return parsed;
  context.addIssue({ code: 'custom', message: parsed });
  return z.NEVER;
});

function parseWindow(text: string): Window | string {
  const at = text.lastIndexOf(' ');
  const zone = text.slice(at + 1);
  if (at < 0 || !isZone(zone)) return `${example}; "${zone}" is no time zone`;
  const spans: Span[] = [];
  for (const part of text.slice(0, at).split(';')) {
    const span = parseSpan(part.trim());
    if (typeof span === 'string') return span;
    spans.push(span);
  }
  return { text, zone, spans };
}

let zones: ReadonlySet<string> | undefined;

/** The runtime's own list first: it is there in a tenth of the time that a first format takes, and most windows are only read, never asked. */
function isZone(zone: string): boolean {
  zones ??= new Set(Intl.supportedValuesOf('timeZone'));
  if (zones.has(zone)) return true;
  // Other ways of writing a zone are not in the list: `UTC`, older names, any case.
  try {
    formatOf(zone);
    return true;
  } catch (unknownZone) {
    if (unknownZone instanceof RangeError) return false;
    throw unknownZone;
  }
}

function parseSpan(text: string): Span | string {
  const groups = spanText.exec(text)?.groups;
  const days = daysOf(groups?.['days']);
  const from = minutesOf(groups?.['from']);
  const to = minutesOf(groups?.['to']);
  if (days === undefined || from === undefined || to === undefined) return example;
  return from === to ? 'opens and closes at the same minute' : { days, from, to };
}

function daysOf(text: string | undefined): ReadonlySet<number> | undefined {
  if (text === undefined) return new Set(dayNames.keys());
  const days = new Set<number>();
  for (const range of text.toLowerCase().split(',')) {
    const [first, last = first] = range.split('-').map((name) => dayNames.indexOf(name));
    if (first === undefined || last === undefined || first < 0 || last < 0) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return days;
}

function minutesOf(text: string | undefined): number | undefined {
  const [hours, minutes] = (text ?? '').split(':').map(Number);
  if (hours === undefined || minutes === undefined || minutes > 59) return undefined;
  const all = hours * 60 + minutes;
  return all <= 24 * 60 ? all : undefined;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** More ways of writing a zone than this are nonsense that somebody wrote into tags, and shall not fill the memory. */
const mostFormats = 200;

/** Making a format is slow, and there are few zones. Throws a RangeError for what is no zone. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  if (formats.size >= mostFormats) formats.clear();
  formats.set(zone, made);
  return made;
}

/** Whether a scheduled rotation may start now. Pure. */
export function isOpen(window: Window, now: Date): boolean {
  const parts = new Map(
    formatOf(window.zone)
      .formatToParts(now)
      .map(({ type, value }) => [type, value]),
  );
  const today = dayNames.indexOf(parts.get('weekday')?.toLowerCase() ?? '');
  const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
  const yesterday = (today + 6) % 7;
  return window.spans.some(({ days, from, to }) => {
    if (from < to) return days.has(today) && minute >= from && minute < to;
    return (days.has(today) && minute >= from) || (days.has(yesterday) && minute < to);
  });
}
