import { expect, it } from 'vitest';
import { quickCases } from './run-bench.ts';

it('the bench of the cold start loads the built app with all its functions beside a hello-world app', async () => {
  const [only, ...others] = await quickCases('cold-start');
  expect(others).toEqual([]);
  expect(only).toMatchObject({ name: 'cold-start', ratio: expect.any(Number), functions: expect.any(Number) });
}, 120_000);
