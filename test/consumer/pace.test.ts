import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overlapOf } from '../../consumer/overlap.ts';
import { backOffMs, ForcedReads, nextReadMs, paceFor } from '../../consumer/pace.ts';

const pace = { refreshIntervalMs: 300_000, refreshJitterMs: 60_000 };

describe('the time of the next read', () => {
  it('the first falls anywhere in one interval, so that instances started together do not ask together', () => {
    expect(nextReadMs(pace, true, () => 0)).toBe(0);
    expect(nextReadMs(pace, true, () => 0.5)).toBe(180_000);
  });

  it('later ones keep the interval and never wait longer than interval and jitter', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (chance) => {
        const wait = nextReadMs(pace, false, () => chance);
        return wait >= pace.refreshIntervalMs && wait <= pace.refreshIntervalMs + pace.refreshJitterMs;
      }),
    );
  });

  it('after failures it doubles to its longest, with half of it left to chance', () => {
    const waits = [1, 2, 3, 10, 1000].map((failures) => backOffMs(failures, 1000, 60_000, () => 1));
    expect(waits).toEqual([1000, 2000, 4000, 60_000, 60_000]);
    expect(backOffMs(3, 1000, 60_000, () => 0)).toBe(2000);
  });
});

describe('forced reads', () => {
  it('the first is free, and each that finds nothing new doubles the wait from 1 s to 60 s', () => {
    const forced = new ForcedReads();
    const waits: number[] = [];
    let now = 0;
    for (let read = 0; read < 9; read += 1) {
      now += forced.waitMs(now);
      forced.made(now, false);
      waits.push(forced.waitMs(now));
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('one that finds a new version makes the next free', () => {
    const forced = new ForcedReads();
    forced.made(0, false);
    forced.made(1000, true);
    expect(forced.waitMs(1000)).toBe(0);
  });
});

describe('the interval', () => {
  const hourMs = 3_600_000;
  it.each([
    ['is five minutes where no overlap is told', undefined, 300_000],
    ['is five minutes for a short overlap', 0.5 * hourMs, 300_000],
    ['is a twelfth of the overlap', 24 * hourMs, 2 * hourMs],
    ['is four hours at most', 30 * 24 * hourMs, 4 * hourMs],
  ])('%s', (_, overlapMs, expected) => {
    expect(paceFor({}, overlapMs)).toEqual({ refreshIntervalMs: expected, refreshJitterMs: expected / 5 });
  });

  it('is what the options say, whatever the overlap is', () => {
    expect(paceFor({ refreshIntervalMs: 10, refreshJitterMs: 0 }, 24 * hourMs)).toEqual({
      refreshIntervalMs: 10,
      refreshJitterMs: 0,
    });
  });

  it('of an overlap of half a day or longer costs at most 2 dollars a month for 1,000 secrets, at 0.03 for 10,000 reads', () => {
    const { refreshIntervalMs, refreshJitterMs } = paceFor({}, 12 * hourMs);
    const reads = (1_000 * 30 * 24 * hourMs) / (refreshIntervalMs + refreshJitterMs / 2);
    expect((reads / 10_000) * 0.03).toBeLessThanOrEqual(2);
  });
});

describe('the overlap', () => {
  const createdAt = new Date('2026-03-01T00:00:00Z');
  const dayMs = 86_400_000;
  const rotation = `id=${'a'.repeat(32)};from=${'b'.repeat(32)};retire-by=2026-03-03T00:00:00Z`;
  it.each<[string, Record<string, string>, number | undefined]>([
    ['its tag', { overlap: 'P1DT6H30M' }, 30.5 * 3_600_000],
    ['its tag in whole days', { overlap: '3' }, 3 * dayMs],
    ['the tag policy', { policy: 'valid-for=P90D; overlap=PT12H; window=Sat 00:00-24:00 UTC' }, dayMs / 2],
    ['what the last rotation did', { rotation }, 2 * dayMs],
    ['the shorter one of both', { overlap: 'PT1H', rotation }, 3_600_000],
    ['nothing', { team: 'orders' }, undefined],
    ['nothing where the tag cannot be read', { overlap: 'soon', rotation }, undefined],
    [
      'nothing where the old credential died at once',
      { rotation: `id=${'a'.repeat(32)};from=${'b'.repeat(32)}` },
      undefined,
    ],
  ])('is told by %s', (_, tags, expected) => {
    expect(overlapOf(tags, createdAt)).toBe(expected);
  });
});
