import { expect, it } from 'vitest';
import { quickCases } from './run-bench.ts';

it('a sweep over more vaults than a subscription takes at once is refused some calls, waits, and sweeps all of them', async () => {
  const [only, ...others] = await quickCases('fleet');
  expect(others).toEqual([]);
  // Three pages for each of six vaults; a call that was refused is made again.
  expect(only).toMatchObject({ swept: 6, failed: 0, peakMemoryMB: expect.any(Number) });
  expect(Number(only?.['throttled'])).toBeGreaterThan(0);
  expect(Number(only?.['listCalls'])).toBeGreaterThan(18);
}, 120_000);
