import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backOffMs, ForcedReads, nextReadMs } from '../../consumer/pace.ts';

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
