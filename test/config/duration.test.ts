import { expect, test } from 'vitest';
import { parseDuration, parseDurationWithin, policyBounds } from '../../shared/config/duration.ts';

const day = 86_400_000;

test.each([
  ['P90D', 90 * day],
  ['90', 90 * day],
  ['PT12H', day / 2],
  ['P1W', 7 * day],
  ['P1DT2H3M4S', day + 7_384_000],
  [' P1D ', day],
  ['PT0S', 0],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toEqual({ kind: 'duration', ms });
});

test.each(['', 'P', 'PT', 'P1DT', '1.5', '-1', 'P-1D', 'ninety', 'P1H', 'T1H', '999999', 'P40000D'])(
  '"%s" is refused with what a duration looks like',
  (text) => {
    expect(parseDuration(text)).toMatchObject({ kind: 'invalid' });
  },
);

test.each(['P1M', 'P1Y', 'P1Y2D', 'P3M'])('%s is refused because months and years have no fixed length', (text) => {
  expect(parseDuration(text)).toMatchObject({ detail: expect.stringContaining('no fixed length') });
});

test.each([
  ['PT1M', { kind: 'duration', ms: 60_000 }],
  ['P3650D', { kind: 'duration', ms: 3650 * day }],
  ['PT59S', { kind: 'invalid', detail: 'is shorter than 60 s' }],
  ['P3651D', { kind: 'invalid', detail: 'is longer than 3650 days' }],
])('%s for a lifetime, whose bounds are the same in settings and tags', (text, outcome) => {
  expect(parseDurationWithin(text, policyBounds.validFor)).toEqual(outcome);
});
