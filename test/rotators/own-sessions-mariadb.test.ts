import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MysqlTags } from '../../rotators/mysql/tags.ts';
import { makeStep } from '../conformance/step.ts';
import { connectAs, loadMysql, type MysqlBench, startBench } from './mysql/bench.ts';
import { onMariadb } from './mysql/on-mariadb.ts';

let bench: MysqlBench;
beforeAll(async () => {
  bench = await startBench(onMariadb);
}, 60_000);
afterAll(() => bench.close());

test('a login that looks at its own sessions is no consumer of itself, and a client beside it is', async () => {
  const rotator = await loadMysql();
  const current = await bench.makeLogin();
  const { endpoint } = bench;
  const parts = { current, endpoint, adminEndpoint: endpoint, admin: { kind: 'self' as const }, options: {} };
  const step = makeStep<MysqlTags>('single-user', parts);
  expect(await rotator.inUse(step, current)).toEqual({ kind: 'idle' });
  const consumer = await connectAs(bench.server, current);
  expect(await rotator.inUse(step, current)).toMatchObject({
    kind: 'unknown',
    detail: expect.stringContaining('1 session of'),
  });
  await consumer.end();
});
