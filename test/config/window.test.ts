import { expect, test } from 'vitest';
import { isOpen, windowTag } from '../../shared/config/window.ts';

function opens(text: string, at: string): boolean {
  return isOpen(windowTag.parse(text), new Date(at));
}

test.each([
  ['01:00-05:00 UTC', '2026-01-05T01:00:00Z', true],
  ['01:00-05:00 UTC', '2026-01-05T00:59:59Z', false],
  ['01:00-05:00 UTC', '2026-01-05T05:00:00Z', false],
  ['Mon 01:00-05:00 UTC', '2026-01-05T02:00:00Z', true],
  ['Mon 01:00-05:00 UTC', '2026-01-06T02:00:00Z', false],
  ['Sat-Mon 01:00-05:00 UTC', '2026-01-04T02:00:00Z', true],
  ['Sat,Sun 01:00-05:00 UTC', '2026-01-05T02:00:00Z', false],
  // Over midnight: the day is the one on which it opens.
  ['Fri 22:00-04:00 UTC', '2026-01-10T03:00:00Z', true],
  ['Fri 22:00-04:00 UTC', '2026-01-09T03:00:00Z', false],
  ['Mon 01:00-02:00; Tue 03:00-04:00 UTC', '2026-01-06T03:30:00Z', true],
  ['20:00-24:00 UTC', '2026-01-06T23:59:00Z', true],
  // Berlin is UTC+1 in winter and UTC+2 in summer: the window moves with the wall clock.
  ['01:00-05:00 Europe/Berlin', '2026-01-05T00:30:00Z', true],
  ['01:00-05:00 Europe/Berlin', '2026-07-06T00:30:00Z', true],
  ['01:00-05:00 Europe/Berlin', '2026-07-05T23:30:00Z', true],
  ['01:00-05:00 Europe/Berlin', '2026-01-05T04:30:00Z', false],
  // 2026-03-29: the hour from 02:00 to 03:00 does not exist in Berlin.
  ['02:00-03:00 Europe/Berlin', '2026-03-29T00:59:00Z', false],
  ['02:00-03:00 Europe/Berlin', '2026-03-29T01:00:00Z', false],
  // 2026-10-25: the same hour comes twice.
  ['02:00-03:00 Europe/Berlin', '2026-10-25T00:30:00Z', true],
  ['02:00-03:00 Europe/Berlin', '2026-10-25T01:30:00Z', true],
])('%s at %s: open is %s', (text, at, open) => {
  expect(opens(text, at)).toBe(open);
});

test.each([
  '',
  'UTC',
  '01:00-05:00',
  '01:00-05:00 Mars/Phobos',
  '25:00-26:00 UTC',
  'Foo 01:00-05:00 UTC',
  '01:00-01:00 UTC',
  '1:00-5:00 UTC',
  '01:00-05:60 UTC',
])('"%s" is refused with an example', (text) => {
  const parsed = windowTag.safeParse(text);
  expect(parsed.success).toBe(false);
  expect(parsed.error?.issues[0]?.message).toMatch(/is like|same minute/);
});
