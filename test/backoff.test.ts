import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff, failureBackoff, noticeBackoff, retryBackoff } from '../shared/backoff.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const backoff = new Backoff({ firstMs: 10_000, mostMs: hourMs });
const failures = fc.integer({ min: 1, max: 1_000_000 });
const random = fc.double({ min: 0, max: 1, noNaN: true });

describe('the pause after failures in a row', () => {
  it('doubles from the first one to the longest, and stays there', () => {
    const pauses = [1, 2, 3, 4, 9, 10, 11, 1_000].map((count) => backoff.pauseMs(count, 0));
    expect(pauses).toEqual([10_000, 20_000, 40_000, 80_000, 2_560_000, hourMs, hourMs, hourMs]);
  });

  it('is never longer than the longest and never shorter than three quarters of what is planned', () => {
    fc.assert(
      fc.property(failures, random, (count, chance) => {
        const pause = backoff.pauseMs(count, chance);
        const planned = backoff.pauseMs(count, 0);
        expect(pause).toBeLessThanOrEqual(hourMs);
        expect(pause).toBeGreaterThanOrEqual(Math.floor(planned * 0.75));
      }),
    );
  });

  it('differs between tries that failed together', () => {
    const pauses = Array.from({ length: 100 }, (_, at) => backoff.pauseMs(10, at / 100));
    expect(new Set(pauses).size).toBe(100);
    expect(Math.max(...pauses) - Math.min(...pauses)).toBeGreaterThan(14 * minuteMs);
  });
});

describe('a pause that the other side asked for', () => {
  it('is never cut short, also where it is longer than the longest of our own', () => {
    fc.assert(
      fc.property(failures, random, fc.integer({ min: 0, max: 86_400 }), (count, chance, asked) => {
        expect(backoff.pauseMs(count, chance, asked)).toBeGreaterThanOrEqual(asked * 1_000);
      }),
    );
  });

  it('is kept for a day at most', () => {
    expect(backoff.pauseMs(1, 1, 1e12)).toBe(24 * hourMs);
  });

  it.each([undefined, 0, -5])('of %s s changes nothing', (asked) => {
    expect(backoff.pauseMs(1, 0, asked)).toBe(10_000);
  });
});

describe('the pauses of Keyturn', () => {
  it('grow to hours for rotations and retirements, and to one hour for notices', () => {
    const longest = [retryBackoff, failureBackoff, noticeBackoff].map((one) => one.pauseMs(1_000, 0) / hourMs);
    expect(longest).toEqual([4, 6, 1]);
  });

  it('begin with seconds for what mends itself, and with the time of a sweep for what a person has to change', () => {
    const first = [retryBackoff, failureBackoff, noticeBackoff].map((one) => one.pauseMs(1, 0) / 1_000);
    expect(first).toEqual([5, 900, 10]);
  });
});
