/** What Redis is asked at the same time: a server far away answers each question one round trip later. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../local/redis.ts';
import { newPassword } from '../conformance/step.ts';
import { holdBack, record } from './postgres-proxy.ts';
import { admin, loadRedis, users } from './redis-bench.ts';
import { applied, makeUser, stepAt } from './redis-rig.ts';

let server: RedisServer;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startRedis({ acl: users });
});
afterAll(async () => {
  for (const close of closing) await close();
  await server.stop();
});

/** A way to the server that hears everything at once, and passes on what contains `text` only when `release` says so. */
async function way(text: string, release: (heard: string) => boolean) {
  const held = await holdBack(server.port, text, () => release(heard.text()));
  const heard = await record(held.port);
  closing.push(heard.close, held.close);
  return { host: '127.0.0.1', port: heard.port, heard: () => heard.text() };
}

test('the proof of a candidate begins at the nodes that the attempt has seen, while it is asked which there are now', async () => {
  const current = await makeUser([server]);
  const next: { password?: string } = {};
  // The admin is not heard before the candidate is.
  const through = await way(admin.username, (heard) => next.password === undefined || heard.includes(next.password));
  const rotator = await loadRedis();
  const step = stepAt(through, current);
  expect(await rotator.verify(step, current)).toEqual({ kind: 'accepted' });
  const candidate = await applied(rotator, step);
  next.password = candidate.password.reveal();
  expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
  const wrong = { ...current, password: newPassword() };
  next.password = wrong.password.reveal();
  expect(await rotator.verify(step, wrong)).toMatchObject({ kind: 'refused' });
});

test('no login is tried before it was seen that a node listens there', async () => {
  const current = await makeUser([server]);
  const through = await way('nothing', () => true);
  const rotator = await loadRedis();
  const stranger = { username: admin.username, password: newPassword() };
  const step = stepAt(through, current, 'dual-password', {
    admin: { kind: 'connection', secret: 'redis-admin', credential: stranger },
  });
  expect(await rotator.verify(step, current)).toMatchObject({ code: 'admin-refused' });
  expect(through.heard()).toContain(stranger.password.reveal());
  expect(through.heard()).not.toContain(current.password.reveal());
});

test('a node is asked with its change which other nodes it knows by then', async () => {
  const current = await makeUser([server]);
  const through = await way('SETUSER', (heard) => heard.includes('CLUSTER', heard.indexOf('SETUSER')));
  const rotator = await loadRedis();
  await applied(rotator, stepAt(through, current));
});
