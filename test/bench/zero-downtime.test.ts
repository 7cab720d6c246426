import { expect, it } from 'vitest';
import { quickCases } from './run-bench.ts';

it('the bench of zero downtime: no query fails through whole rotations, and a consumer that lags is named, waited for and cut; an emergency ends all sessions of a leak and disturbs nobody else', async () => {
  const cases = await quickCases('zero-downtime');
  expect(cases.map(({ name }) => name)).toEqual([
    ...['postgres', 'mariadb', 'mysql', 'redis', 'pgbouncer-transaction', 'pgbouncer-session'],
    ...['lagging-consumer', 'emergency', 'emergency-mysql'],
  ]);
  for (const one of cases.slice(0, 6)) {
    expect(one).toMatchObject({ rotations: 2, oldRefused: 2, retiredByEvidence: 2, failedQueries: 0 });
    expect(one['queries']).toBeGreaterThan(0);
  }
  const seen = { namedWhileWaiting: true, acceptedUntilDeadline: true, cutAtDeadline: true, oldRefused: true };
  expect(cases[6]).toMatchObject({ ...seen, failedQueries: 0 });
  for (const one of cases.slice(7)) {
    expect(one).toMatchObject({ heldSessions: 40, sessionsLeft: 0, oldRefused: true, failedQueries: 0 });
    expect(one['queries'], 'of an application that has nothing to do with the leak').toBeGreaterThan(0);
  }
}, 400_000);
