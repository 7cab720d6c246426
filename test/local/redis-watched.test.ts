import { expect, test } from 'vitest';
import { command } from '../../local/redis-cluster.ts';
import { startWatchedRedis } from '../../local/redis-watched.ts';

const watcher = { username: 'watcher', password: 'password-of-the-watcher' };
const acl = [
  'user default on nopass ~* &* +@all',
  `user watcher on >${watcher.password} allchannels +multi +slaveof +replicaof +ping +exec +subscribe +publish +config|rewrite +config|get +role +info +client +script|kill +psync +replconf`,
];
const poll = { timeout: 20_000, interval: 50 };

test('a Sentinel with the rights of its own login puts the replica in the place of the primary', async () => {
  const redis = await startWatchedRedis({ name: 'orders', acl, configFile: true, replicateAs: watcher, sentinels: 2 });
  try {
    const [sentinel] = redis.sentinels;
    if (sentinel === undefined) throw new Error('no Sentinel was started');
    const role = async () => String(await command(redis.replica, {}, 'ROLE')).split(',')[0];
    expect(await role()).toBe('slave');
    await command(sentinel, {}, 'SENTINEL', 'FAILOVER', 'orders');
    await expect.poll(role, poll).toBe('master');
  } finally {
    await redis.stop();
  }
}, 30_000);

test('a Sentinel whose password is gone no longer reaches the nodes', async () => {
  const redis = await startWatchedRedis({ name: 'orders', acl, configFile: true, replicateAs: watcher });
  try {
    expect(await redis.isWatched()).toBe(true);
    for (const node of [redis.primary, redis.replica]) {
      await command(node, {}, 'ACL', 'SETUSER', 'watcher', 'resetpass', '>another-password');
      await command(node, {}, 'CLIENT', 'KILL', 'USER', 'watcher');
    }
    await expect.poll(redis.isWatched, poll).toBe(false);
  } finally {
    await redis.stop();
  }
}, 30_000);
