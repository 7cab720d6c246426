import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../local/redis.ts';
import { makeStep, newPassword } from '../conformance/step.ts';
import { asOwner, endpointOf, loadRedis, openSession, type RedisTags, users } from './redis-bench.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ acl: users });
});
afterAll(() => server.stop());

test('a login that looks at its own sessions is no consumer of itself, and a client beside it is', async () => {
  const current = { username: `app-${randomUUID()}`, password: newPassword() };
  const rules = ['reset', 'on', `>${current.password.reveal()}`, '~*', '+@all'];
  await asOwner(server, 'ACL', 'SETUSER', current.username, ...rules);
  const endpoint = endpointOf(server);
  const parts = { current, endpoint, adminEndpoint: endpoint, admin: { kind: 'self' as const }, options: {} };
  const step = makeStep<RedisTags>('dual-password', parts);
  const rotator = await loadRedis();
  expect(await rotator.inUse(step, current)).toEqual({ kind: 'idle' });
  const consumer = await openSession(server, current);
  expect(await rotator.inUse(step, current)).toMatchObject({
    kind: 'unknown',
    detail: expect.stringContaining('1 session of'),
  });
  await consumer.close();
});
