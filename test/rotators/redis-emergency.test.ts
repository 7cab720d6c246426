/** An emergency on real servers: refused first, everybody cut at once, looked at until none is left. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RedisServer, startRedis } from '../../local/redis.ts';
import { asOwner, loadRedis, logsInAt, openSession, owner, users } from './redis-bench.ts';
import { applied, makeUser, stepAt } from './redis-rig.ts';

const held = 500;
const urgent = { emergency: true } as const;

let primary: RedisServer;
let replica: RedisServer;
beforeAll(async () => {
  primary = await startRedis({ acl: users, replicateAs: owner });
  replica = await startRedis({ acl: users, replicateAs: owner, replicaOf: primary });
  const online = async () => String(await asOwner(primary, 'INFO', 'replication')).includes('state=online');
  await vi.waitUntil(online, { timeout: 20_000 });
}, 60_000);
afterAll(() => Promise.all([primary.stop(), replica.stop()]));

async function clientsOf(user: string): Promise<number> {
  const lists = await Promise.all([primary, replica].map((node) => asOwner(node, 'CLIENT', 'LIST')));
  return lists.join('').split(`user=${user} `).length - 1;
}

describe.each(['dual-password', 'single-user'] as const)('%s', (strategy) => {
  test('500 sessions on both nodes are ended by one command each, and none is left', async () => {
    const current = await makeUser([primary, replica]);
    const sessions = await Promise.all(
      Array.from({ length: held }, (_, index) => openSession(index % 2 === 0 ? primary : replica, current)),
    );
    const rotator = await loadRedis();
    const second = await applied(rotator, stepAt(primary, current, strategy));
    const outcome = await rotator.retire(stepAt(primary, second, strategy, {}, urgent), current);
    expect(outcome).toEqual({ kind: 'retired', sessionsEnded: held });
    expect(await clientsOf(current.username)).toBe(0);
    expect(await logsInAt([primary, replica], current)).toBe(false);
    expect(await logsInAt([primary, replica], second)).toBe(true);
    await Promise.all(sessions.map((session) => session.close()));
  }, 60_000);

  test('sessions that the admin may not end are counted, with the right to grant; asked again, it is finished', async () => {
    const current = await makeUser([primary, replica]);
    const sessions = [await openSession(primary, current), await openSession(replica, current)];
    const rotator = await loadRedis();
    const second = await applied(rotator, stepAt(primary, current, strategy));
    for (const node of [primary, replica]) await asOwner(node, 'ACL', 'SETUSER', 'rotation-admin', '-client|kill');
    const step = stepAt(primary, second, strategy, {}, urgent);
    const outcome = await rotator.retire(step, current);
    for (const node of [primary, replica]) await asOwner(node, 'ACL', 'SETUSER', 'rotation-admin', '+client|kill');
    expect(outcome).toMatchObject({
      code: 'sessions-open',
      class: 'blocked',
      message: expect.stringContaining('2 of its sessions are still open'),
      hint: expect.stringContaining('ACL SETUSER rotation-admin +client|kill'),
    });
    expect(await logsInAt([primary, replica], current)).toBe(false);
    expect(await rotator.retire(step, current)).toEqual({ kind: 'retired', sessionsEnded: 2 });
    expect(await clientsOf(current.username)).toBe(0);
    await Promise.all(sessions.map((session) => session.close()));
  });

  test('the published credential is ended neither before there is another one nor at a planned end', async () => {
    const current = await makeUser([primary, replica]);
    const rotator = await loadRedis();
    for (const emergency of [true, false]) {
      const outcome = await rotator.retire(stepAt(primary, current, strategy, {}, { emergency }), current);
      expect(outcome).toMatchObject({ code: 'target-refused' });
      expect(await logsInAt([primary, replica], current)).toBe(true);
    }
  });
});

test('after a roll-back and a cut link the replica still follows with the password that stays', async () => {
  const primary = await startRedis({ acl: users, replicateAs: owner });
  const current = await makeUser([primary]);
  const replicateAs = { username: current.username, password: current.password.reveal() };
  const follower = await startRedis({ acl: users, replicateAs, replicaOf: primary });
  await makeUser([follower], current.username);
  await asOwner(follower, 'ACL', 'SETUSER', current.username, 'resetpass', `>${current.password.reveal()}`);
  const linked = async () => String(await asOwner(follower, 'INFO', 'replication')).includes('master_link_status:up');
  await expect.poll(linked, { timeout: 10_000 }).toBe(true);
  const rotator = await loadRedis();
  const second = await applied(rotator, stepAt(primary, current));
  expect(await rotator.apply(stepAt(primary, second), current, current)).toMatchObject({ kind: 'applied' });
  expect(await rotator.retire(stepAt(primary, current), second)).toMatchObject({ kind: 'retired' });
  const links = async () => String(await asOwner(primary, 'CLIENT', 'LIST', 'TYPE', 'REPLICA'));
  const before = /id=(\d+)/.exec(await links())?.[1];
  await asOwner(primary, 'CLIENT', 'KILL', 'TYPE', 'replica');
  await expect.poll(async () => /id=(\d+)/.exec(await links())?.[1] ?? before, { timeout: 20_000 }).not.toBe(before);
  await expect.poll(linked, { timeout: 10_000 }).toBe(true);
  expect(await logsInAt([primary, follower], second)).toBe(false);
  await Promise.all([primary.stop(), follower.stop()]);
});
