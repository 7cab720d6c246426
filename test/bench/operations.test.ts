import { expect, it } from 'vitest';
import { quickCases } from './run-bench.ts';

it('the bench of operations counts a whole rotation, an acknowledgement and a sweep, and an idle app does nothing but look at its queues', async () => {
  const [rotation, heard, acknowledgement, sweep, idle] = await quickCases('operations');
  // Executions and calls are counts, not times: a machine that is busy makes none of them more.
  expect(rotation).toMatchObject({
    name: 'event to retired',
    executions: expect.any(Number),
    vault: expect.any(Number),
  });
  expect(Number(rotation?.['calls'])).toBeGreaterThan(20);
  // The aim is 36; eight of them look for secrets that share a login, and two are the wake-up of the end. Two more where a lease is renewed.
  expect(Number(rotation?.['calls'])).toBeLessThanOrEqual(44);
  expect(Number(rotation?.['executions'])).toBeLessThanOrEqual(6);
  // Two notices to one channel, each by a message of its own.
  expect(heard).toMatchObject({ name: 'the same, with one channel' });
  expect(Number(heard?.['executions'])).toBe(Number(rotation?.['executions']) + 2);
  expect(acknowledgement).toMatchObject({ executions: 1, blob: 0 });
  // A page of the listing holds 25 names.
  expect(sweep).toMatchObject({ executions: 1, vault: 2 });
  expect(idle).toMatchObject({ executions: 0, calls: 0 });
  expect(Number(idle?.['emptyPolls'])).toBeGreaterThan(0);
}, 120_000);
