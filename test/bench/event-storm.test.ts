import { expect, it } from 'vitest';
import { quickCases } from './run-bench.ts';

it('the bench of the storm ends with one new version of each secret, however often its event came', async () => {
  const [only, ...others] = await quickCases('event-storm');
  expect(others).toEqual([]);
  expect(only).toMatchObject({
    ...{ name: 'event-storm', ratio: expect.any(Number), ofLimit: expect.any(Number) },
    ...{ deliveries: 320, newVersions: 40, rotatedOnce: 40 },
  });
}, 120_000);
