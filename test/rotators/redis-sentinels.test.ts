/** Real Sentinels over a primary and its replica: whoever watches with a password that changes has to be told. */
import { afterAll, describe, expect, test } from 'vitest';
import { command } from '../../local/redis-cluster.ts';
import { startWatchedRedis, type WatchedRedis } from '../../local/redis-watched.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Endpoint } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { closedPort } from '../conformance/listeners.ts';
import { asOwner, endpointOf, loadRedis, logsInAt, owner, users } from './redis-bench.ts';
import { applied, makeUser, stepAt } from './redis-rig.ts';

const running: WatchedRedis[] = [];
afterAll(async () => {
  await Promise.all(running.map((one) => one.stop()));
});

const watcher = { username: 'watcher', password: 'password-of-the-watcher' };
const watcherRules =
  '+multi +slaveof +replicaof +ping +exec +subscribe +publish +config|rewrite +config|get +role +info +client +script|kill +psync +replconf';
const acl = [...users, `user watcher on >${watcher.password} allchannels ${watcherRules}`];

async function watched(watchAs = watcher): Promise<WatchedRedis> {
  const options = { name: 'orders', acl, replicateAs: watcher, watchAs, sentinels: 2, configFile: true };
  const redis = await startWatchedRedis(options);
  running.push(redis);
  await expect.poll(() => knowEachOther(redis), { timeout: 20_000, interval: 50 }).toBe(true);
  return redis;
}

async function knowEachOther({ sentinels }: WatchedRedis): Promise<boolean> {
  const others = await Promise.all(sentinels.map((one) => command(one, {}, 'SENTINEL', 'SENTINELS', 'orders')));
  return others.every((list) => Array.isArray(list) && list.length === sentinels.length - 1);
}

const current: Credential = { username: watcher.username, password: new SecretText(watcher.password) };
const nodesOf = ({ primary, replica }: WatchedRedis) => [primary, replica];

/** What a lost link would do: every connection of the user is cut, and has to log in again. */
async function cut(redis: WatchedRedis, user: string): Promise<void> {
  for (const node of nodesOf(redis)) {
    await asOwner(node, 'CLIENT', 'KILL', 'USER', user);
    await asOwner(node, 'CLIENT', 'KILL', 'TYPE', 'replica');
  }
}

function list(...places: readonly { readonly host: string; readonly port: number }[]): Endpoint {
  const [first] = places;
  if (first === undefined) throw new Error('a list needs a host');
  return { ...endpointOf(first), hosts: places, options: { servicename: 'orders', scheme: 'redis' } };
}

describe.each(['dual-password', 'single-user'] as const)(
  'Sentinels that log in as the user that is rotated, %s',
  (strategy) => {
    test('keep watching after the old password is gone, and after a roll-back, each of them', async () => {
      const redis = await watched();
      const [sentinel] = redis.sentinels;
      if (sentinel === undefined) throw new Error('no Sentinel was started');
      const rotator = await loadRedis();
      const second = await applied(rotator, stepAt(sentinel, current, strategy));
      expect(await rotator.verify(stepAt(sentinel, current, strategy), second)).toEqual({ kind: 'accepted' });
      expect(await rotator.retire(stepAt(sentinel, second, strategy), current)).toMatchObject({ kind: 'retired' });
      expect(await logsInAt(nodesOf(redis), current)).toBe(false);
      await cut(redis, watcher.username);
      await expect.poll(redis.isWatched, { timeout: 20_000, interval: 50 }).toBe(true);

      expect(await rotator.apply(stepAt(sentinel, second, strategy), current, second)).toMatchObject({
        kind: 'applied',
      });
      expect(await rotator.retire(stepAt(sentinel, current, strategy), second)).toMatchObject({ kind: 'retired' });
      expect(await logsInAt(nodesOf(redis), second)).toBe(false);
      await cut(redis, watcher.username);
      await expect.poll(redis.isWatched, { timeout: 20_000, interval: 50 }).toBe(true);
      for (const one of redis.sentinels) await one.restart();
      await expect.poll(redis.isWatched, { timeout: 20_000, interval: 50 }).toBe(true);
    }, 60_000);
  },
);

describe('Sentinels that log in as the user that is rotated', () => {
  test('and cannot be told, because the connection leads to no Sentinel, stop the rotation before anything is touched', async () => {
    const redis = await watched();
    const rotator = await loadRedis();
    const lists = () => Promise.all(nodesOf(redis).map((node) => asOwner(node, 'ACL', 'LIST')));
    const before = await lists();
    for (const strategy of ['dual-password', 'single-user'] as const) {
      const step = stepAt(redis.primary, current, strategy);
      const candidate = { ...current, password: new SecretText('a-password-that-is-never-set') };
      const outcome = await rotator.apply(step, candidate, current);
      expect(outcome).toMatchObject({ code: 'target-refused', message: expect.stringContaining('sentinel auth-user') });
      const failed = (await rotator.check(step)).filter((line) => line.state === 'failed');
      expect(failed).toEqual([expect.objectContaining({ name: 'sentinels' })]);
    }
    expect(await lists()).toEqual(before);
  });

  test('of which one is down stop the rotation by its name: it would come back with the old password', async () => {
    const redis = await watched();
    const [first, second] = redis.sentinels;
    if (first === undefined || second === undefined) throw new Error('no Sentinels were started');
    await second.halt();
    const rotator = await loadRedis();
    const candidate = { ...current, password: new SecretText('a-password-that-is-never-set') };
    const outcome = await rotator.apply(stepAt(first, current), candidate, current);
    expect(outcome).toMatchObject({ code: 'target-unreachable', message: expect.stringContaining(`${second.port}`) });
    expect(await logsInAt(nodesOf(redis), candidate)).toBe(false);
  });
});

test('Sentinels with a login of their own are told nothing, and any one of a list leads to the nodes', async () => {
  const redis = await watched(owner);
  const app = await makeUser(nodesOf(redis), 'orders-app');
  const rotator = await loadRedis();
  const configuration = async () => Promise.all(redis.sentinels.map((one) => command(one, {}, 'SENTINEL', 'MASTERS')));
  const epoch = async () => JSON.stringify(await configuration()).match(/"config-epoch","\d+"/g);
  const before = await epoch();
  const dead = { host: '127.0.0.1', port: await closedPort() };
  const adminEndpoint = list(dead, ...redis.sentinels);
  const step = stepAt(redis.primary, app, 'dual-password', { adminEndpoint, endpoint: adminEndpoint });
  expect((await rotator.check(step)).filter((line) => line.state === 'failed')).toEqual([]);
  const candidate = await applied(rotator, step);
  expect(await logsInAt(nodesOf(redis), candidate)).toBe(true);
  expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
  expect(await epoch()).toEqual(before);
});
