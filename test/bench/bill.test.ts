/** What a month costs by its calls, and that docs/cost.md says the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import {
  alwaysReady,
  looksOfMonth,
  measured,
  priceOf,
  prices,
  readsOf,
  rotationsOf,
  sweepsOf,
} from '../../bench/operations/bill.ts';
import { paceFor } from '../../consumer/pace.ts';
import { afterLeaseMs } from '../../shared/contract/ports.ts';
import { root } from '../tidy/files.ts';

const page = readFileSync(join(root, 'docs', 'cost.md'), 'utf8');
const host = z
  .object({ extensions: z.object({ queues: z.object({ maxPollingInterval: z.string() }) }) })
  .parse(JSON.parse(readFileSync(join(root, 'host.json'), 'utf8')));
const pollingSeconds = Number(host.extensions.queues.maxPollingInterval.split(':').at(-1));
const none = { vault: 0, queue: 0, table: 0, blob: 0, executions: 0 };
const looks = priceOf({ ...none, queue: looksOfMonth(pollingSeconds) });
const dollars = (amount: number): string => (amount < 0.01 ? `$${amount.toFixed(3)}` : `$${amount.toFixed(2)}`);

it('an idle app whose functions of queues run on one instance all month costs at most a dollar by its calls', () => {
  expect(looks + priceOf(sweepsOf(0))).toBeLessThanOrEqual(1);
});

it('a crash is healed within 75 s with as few looks at the queues: a lease, and two looks that just missed', () => {
  const workSeconds = 20;
  expect(afterLeaseMs / 1_000 + 2 * pollingSeconds + workSeconds).toBeLessThanOrEqual(75);
});

it('docs/cost.md has the date of the prices, and the figures that they give', () => {
  expect(page).toContain(prices.asOf);
  const rows = [100, 1_000, 10_000].map((secrets) => {
    const [rotations, sweeps] = [priceOf(rotationsOf(secrets, measured)), priceOf(sweepsOf(secrets))];
    const cells = [
      rotations,
      sweeps,
      rotations + sweeps,
      rotations + sweeps + looks,
      rotations + sweeps + alwaysReady(2_048),
    ];
    return `| ${secrets.toLocaleString('en-US')} | ${cells.map(dollars).join(' | ')} |`;
  });
  for (const row of rows) expect(page).toContain(row);
  const idle = [priceOf(sweepsOf(0)), priceOf(sweepsOf(0)) + looks, priceOf(sweepsOf(0)) + alwaysReady(2_048)];
  expect(page).toContain(`| none, idle | ${dollars(0)} | ${[idle[0] ?? 0, ...idle].map(dollars).join(' | ')} |`);
});

it('docs/cost.md has what consumers pay for each overlap', () => {
  const hourMs = 3_600_000;
  for (const [overlap, hours] of [
    ['an hour or less, or not known', 1],
    ['6 hours', 6],
    ['12 hours', 12],
    ['a day', 24],
    ['2 days or more', 48],
  ] as const) {
    const { refreshIntervalMs, refreshJitterMs } = paceFor({}, hours * hourMs);
    const price = readsOf(1_000, refreshIntervalMs / 1_000, refreshJitterMs / 1_000);
    expect(page).toContain(`| ${overlap} | ${refreshIntervalMs / 60_000} min | ${dollars(price)} |`);
  }
});
