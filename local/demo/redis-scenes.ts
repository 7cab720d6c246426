import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../redis.ts';
import { type RedisCluster, startRedisCluster } from '../redis-cluster.ts';
import { putSecret } from './put.ts';
import type { Scene } from './scene.ts';

const owner = { username: 'owner', password: 'owner-of-a-throwaway-server' };

const adminRules =
  'resetchannels -@all +info +acl|getuser +acl|setuser +acl|save +acl|dryrun +config|get +config|set +config|rewrite +client|id +client|list +client|kill +cluster|nodes';

const acl = [
  'user default off',
  `user ${owner.username} on >${owner.password} ~* &* +@all`,
  `user rotation-admin on >sample-password-of-the-admin ${adminRules}`,
  'user cache-app on >first-password-of-cache-app ~* &* +@all',
];

/** One server with an ACL file. */
export function redisScene(): Scene {
  let server: RedisServer | undefined;
  return {
    ...sceneOf('cache', 'redis dual-password', 'one server', () => (server === undefined ? [] : [server])),
    server: 'Redis',
    async start() {
      server = await startRedis({ acl });
      return {};
    },
    close: async () => server?.stop(),
  };
}

/** Three masters with a replica each: users do not spread by themselves, so each node is changed and proven. */
export function redisClusterScene(): Scene {
  let cluster: RedisCluster | undefined;
  return {
    ...sceneOf('cache-cluster', 'redis dual-password', 'six nodes of a cluster', () => cluster?.nodes ?? []),
    server: 'Redis Cluster of six nodes',
    async start() {
      cluster = await startRedisCluster({ masters: 3, replicas: 3, acl, replicateAs: owner });
      return {};
    },
    close: async () => cluster?.stop(),
  };
}

function sceneOf(secret: string, strategy: string, what: string, nodes: () => readonly RedisServer[]): Scene {
  return {
    secret,
    about: `${what}, one user with two passwords for a while`,
    strategy,
    expected: 'rotated',
    unnoticed: true,
    needs: { program: 'redis-server', package: 'redis-server' },
    async setUp({ vault }) {
      const at = `127.0.0.1:${nodes()[0]?.port ?? 0}`;
      const admin = `${secret}-admin`;
      vault.put(admin, {
        value: `redis://rotation-admin:sample-password-of-the-admin@${at}`,
        tags: { serves: secret },
      });
      const value = `redis://cache-app:first-password-of-cache-app@${at}`;
      putSecret(vault, secret, value, { rotator: 'redis', strategy: 'dual-password', admin });
    },
    use: async (value) => {
      for (const node of nodes()) await ping(node, value);
    },
    accepts: async (value) => {
      const answers = await Promise.all(nodes().map((node) => letsIn(node, value)));
      return answers.some((accepted) => accepted);
    },
  };
}

async function ping(node: RedisServer, value: string): Promise<void> {
  const { username, password } = new URL(value);
  const client = new Redis({
    host: node.host,
    port: node.port,
    // Version 2 of the protocol: the newer greeting would log in before we do, as a user that is off.
    protocol: 2,
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.call('AUTH', decodeURIComponent(username), decodeURIComponent(password));
    await client.ping();
  } finally {
    client.disconnect();
  }
}

async function letsIn(node: RedisServer, value: string): Promise<boolean> {
  try {
    await ping(node, value);
    return true;
  } catch (error) {
    if (error instanceof Error && /WRONGPASS/.test(error.message)) return false;
    throw error;
  }
}
