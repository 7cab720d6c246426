import { Redis } from 'ioredis';
import { startRedis } from '../../../local/redis.ts';
import { addressOf, adminPassword, type RotationTarget } from '../target.ts';

const admin = 'rotation-admin';
const adminRules =
  'resetchannels -@all +info +acl|getuser +acl|setuser +acl|save +acl|dryrun +config|get +config|set +config|rewrite +client|id +client|list +client|kill';

export async function startRedisTarget(): Promise<RotationTarget> {
  const server = await startRedis({
    acl: [
      'user default off',
      `user ${admin} on >${adminPassword} ${adminRules}`,
      `user owner on >${adminPassword} ~* &* +@all`,
    ],
  });
  const at = (user: string, password: string, port: number) => addressOf('redis', user, password, String(port));
  return {
    name: 'redis',
    rotator: 'redis',
    strategies: ['dual-password', 'single-user'],
    port: server.port,
    admin: (port) => at(admin, adminPassword, port),
    async addLogin(login, password, port) {
      const rules = ['on', `>${password}`, '~*', '&*', '+@all', '-@admin', '-@dangerous', '+info'];
      await session(new URL(at('owner', adminPassword, server.port)), ['SETUSER', login, ...rules]);
      return at(login, password, port);
    },
    change: (url, login, password, keep) =>
      session(url, ['SETUSER', login, ...(keep ? [] : ['resetpass']), `>${password}`]),
    enter: (value) => session(value),
    close: () => server.stop(),
  };
}

async function session(url: URL, acl?: readonly string[]): Promise<void> {
  const client = new Redis({
    ...{ host: url.hostname, port: Number(url.port), protocol: 2 },
    ...{ lazyConnect: true, retryStrategy: null, enableReadyCheck: false, disableClientInfo: true },
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.call('AUTH', url.username, url.password);
    if (acl !== undefined) await client.call('ACL', ...acl);
  } finally {
    client.disconnect();
  }
}
