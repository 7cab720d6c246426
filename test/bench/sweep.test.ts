import { expect, it } from 'vitest';
import { quickCases } from './run-bench.ts';

it('the bench of the sweep goes through every page once, and measures time and memory beside a bare loop', async () => {
  const [only, ...others] = await quickCases('sweep');
  expect(others).toEqual([]);
  expect(only).toMatchObject({
    ratio: expect.any(Number),
    extraMemoryMB: expect.any(Number),
    listCalls: 11,
    pages: 11,
  });
}, 120_000);
