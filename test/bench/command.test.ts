import { describe, expect, it } from 'vitest';
import { measurePairs, median } from '../../bench/pairs.ts';
import { tableOf } from '../../bench/table.ts';
import { runBench } from './run-bench.ts';

describe('npm run bench', () => {
  it('without a name lists the benches', async () => {
    const { code, stdout } = await runBench();
    expect(code).toBe(0);
    for (const name of ['rotation', 'cold-start', 'zero-downtime']) expect(stdout).toContain(`  ${name}`);
  });

  it.each([
    [['nothing'], 'there is no bench "nothing"; there are '],
    [['rotation', 'cold-start'], 'one bench at a time'],
    [['rotation', '--fast'], "Unknown option '--fast'"],
    [['rotation', '--target', 'oracle'], 'there is no target "oracle"; there are postgres, '],
    [['rotation', '--rtt', 'far'], '--rtt takes ms from 0 to 1000, not "far"'],
    [['rotation', '--strategy', 'dual'], 'there is no strategy "dual"'],
    [['sweep', '--rtt', '20'], 'sweep has no option --rtt'],
  ])('refuses %j with exit code 2, says why, and measures nothing', async (args, why) => {
    const { code, stdout, stderr } = await runBench(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
  });
});

describe('figures', () => {
  it('compare medians, so that one slow round changes nothing', async () => {
    const first = [2, 2, 900, 2];
    const second = [1, 1, 1, 1];
    const next = (from: number[]) => () => Promise.resolve(from.shift() ?? Number.NaN);
    const options = { warmUp: 1, pairs: 3, progress: () => undefined };
    expect(await measurePairs(next(first), next(second), options)).toEqual({ ratio: 2, firstMs: 2, secondMs: 1 });
  });

  it('have a median in the middle, and none of nothing', () => {
    expect(median([9, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 9])).toBe(3);
    expect(() => median([])).toThrow(RangeError);
  });

  it('stand in columns, whichever case has them', () => {
    expect(
      tableOf([
        { name: 'a', ratio: 1 },
        { name: 'long', other: 22 },
      ]),
    ).toBe(['name  ratio  other', 'a         1       ', 'long            22'].join('\n'));
  });
});
