import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WatchedSecret } from '../../consumer/index.ts';
import { type RotatingRedisOptions, rotatingRedis } from '../../consumer/ioredis.ts';
import { type RedisServer, startRedis } from '../../local/redis.ts';
import { findSecrets } from '../canary.ts';
import { acknowledgementServer, canary, closeLater, eventually, underLoad, vaultWith, watched } from './helpers.ts';

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis({ host: server.host, port: server.port });
});

afterAll(async () => {
  await admin.quit();
  await server.stop();
});

let first = '';
let second = '';

beforeEach(async () => {
  [first, second] = [canary('first'), canary('second')];
  await admin.flushall();
  await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', `>${first}`, '~*', '&*', '+@all');
});

const url = (password: string) => `redis://app:${password}@127.0.0.1:${server.port}`;

async function redisOf(secret: WatchedSecret, options: Partial<RotatingRedisOptions> = {}) {
  const redis = await rotatingRedis({ secret, ...options });
  closeLater(() => redis.close());
  return redis;
}

async function connectionsOf(user: string): Promise<number> {
  const list = String(await admin.call('CLIENT', 'LIST'));
  return list.split('\n').filter((line) => line.includes(`user=${user} `)).length;
}

describe('rotatingRedis', () => {
  it('dual-password under load: both passwords, then the old one removed; no command fails', async () => {
    const keyturn = await acknowledgementServer();
    const from = await vaultWith(url(first));
    const { secret, problems } = await watched(from, { acknowledge: { api: keyturn.api, key: 'k' } });
    const redis = await redisOf(secret);
    const load = underLoad(() => redis.incr('count'));
    let old = first;
    for (const next of [second, canary('third'), canary('fourth')]) {
      await load.more(50);
      await admin.call('ACL', 'SETUSER', 'app', `>${next}`);
      const version = await from.publish(url(next));
      await secret.notify({ secret: from.name, version });
      await eventually(() => expect(keyturn.calls.at(-1)?.path).toContain(version));
      expect(redis.state).toMatchObject({ version, workingOnOld: 0 });
      await admin.call('ACL', 'SETUSER', 'app', `<${old}`);
      old = next;
      await load.more(50);
    }
    const counts = await load.stop();
    expect(counts.failures).toEqual([]);
    expect(Number(await redis.get('count'))).toBe(counts.queries);
    expect(await connectionsOf('app')).toBe(1);
    expect(problems).toEqual([]);
  });

  it('a client that reconnects with a password that is dead moves on to the new one: commands wait and succeed', async () => {
    const from = await vaultWith(url(first));
    const { secret, problems } = await watched(from);
    const redis = await redisOf(secret);
    await redis.set('key', 'value');
    await from.publish(url(second));
    await admin.call('ACL', 'SETUSER', 'app', 'resetpass', `>${second}`);
    await admin.call('CLIENT', 'KILL', 'USER', 'app');
    const results = await Promise.all([
      redis.get('key'),
      redis.pipeline().incr('n').incr('n').exec(),
      redis.multi().incr('m').incr('m').exec(),
    ]);
    expect(results).toEqual([
      'value',
      [
        [null, 1],
        [null, 2],
      ],
      [
        [null, 1],
        [null, 2],
      ],
    ]);
    await eventually(() => expect(redis.state.version).toBe(from.versions[1]));
    expect(findSecrets(problems, [first, second])).toEqual([]);
  });

  it('a refused reconnect with nothing newer in the vault: the command fails, and its error does not show the password', async () => {
    const from = await vaultWith(url(first));
    const { secret, problems } = await watched(from);
    const redis = await redisOf(secret);
    await admin.call('ACL', 'SETUSER', 'app', 'resetpass', `>${second}`);
    await admin.call('CLIENT', 'KILL', 'USER', 'app');
    await eventually(() => expect(problems.map((one) => one.message).join()).toContain('WRONGPASS'));
    const error: unknown = await redis.get('key').catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('WRONGPASS');
    expect(findSecrets([error, inspect(error, { depth: 9, showHidden: true }), problems], [first, second])).toEqual([]);
  });

  it('an error of a script that looks like a refusal is not taken for one: the script runs once', async () => {
    const from = await vaultWith(url(first));
    const { secret } = await watched(from);
    const redis = await redisOf(secret, {
      options: {
        scripts: {
          liar: { lua: "redis.call('INCR', KEYS[1]) return redis.error_reply('NOAUTH no')", numberOfKeys: 1 },
        },
      },
    });
    const before = from.reads();
    await expect(redis.eval("redis.call('INCR','ran') return redis.error_reply('NOAUTH no')", 0)).rejects.toThrow(
      'NOAUTH',
    );
    await expect(Reflect.get(redis, 'liar')('ran')).rejects.toThrow('NOAUTH');
    expect(await redis.get('ran')).toBe('2');
    expect(from.reads()).toBe(before);
  });

  it('a command that was on the way when the connection and its password died is sent again and answered', async () => {
    const from = await vaultWith(url(first));
    const { secret } = await watched(from);
    const redis = await redisOf(secret);
    const popped = redis.blpop('queue', 0);
    await eventually(async () => expect(String(await admin.call('CLIENT', 'LIST'))).toContain('cmd=blpop'));
    await from.publish(url(second));
    await admin.call('ACL', 'SETUSER', 'app', 'resetpass', `>${second}`);
    await admin.call('CLIENT', 'KILL', 'USER', 'app');
    await admin.rpush('queue', 'item');
    expect(await popped).toEqual(['queue', 'item']);
    await eventually(() => expect(redis.state).toMatchObject({ version: from.versions[1], workingOnOld: 0 }));
  });

  it('close() does not wait without end for a command that gets no answer', async () => {
    const from = await vaultWith(url(first));
    const { secret, problems } = await watched(from);
    const redis = await redisOf(secret, { closeTimeoutMs: 20 });
    const popped = redis.blpop('queue', 0);
    const ended = expect(popped).rejects.toThrow('Connection is closed');
    await redis.close();
    await ended;
    expect(problems.map((one) => one.code)).toContain('drain-slow');
  });

  it('a blocking command ends on the old connection, and the new password is used meanwhile', async () => {
    const from = await vaultWith(url(first));
    const { secret } = await watched(from);
    const redis = await redisOf(secret);
    const popped = redis.blpop('queue', 0);
    await admin.call('ACL', 'SETUSER', 'app', `>${second}`);
    const version = await from.publish(url(second));
    await secret.refresh();
    await eventually(() => expect(redis.state).toMatchObject({ version, workingOnOld: 1 }));
    await redis.rpush('queue', 'item');
    expect(await popped).toEqual(['queue', 'item']);
    await eventually(() => expect(redis.state.workingOnOld).toBe(0));
    await eventually(async () => expect(await connectionsOf('app')).toBe(1));
  });

  it('callbacks, buffers, unknown names and commands of the connection are answered as they should be', async () => {
    const from = await vaultWith(url(first));
    const redis = await redisOf((await watched(from)).secret);
    await redis.set('key', 'value');
    expect(await redis.getBuffer('key')).toEqual(Buffer.from('value'));
    const called = await new Promise((resolve) => {
      void redis.get('key', (error, result) => resolve([error, result]));
    });
    expect(called).toEqual([null, 'value']);
    expect(Reflect.get(redis, 'options')).toBeUndefined();
    expect(() => Reflect.get(redis, 'subscribe')('news')).toThrow('duplicate()');
    expect(() => redis.pipeline().get('key', () => undefined)).toThrow('no callbacks');
    expect(await redis.use((client) => client.ping())).toBe('PONG');
  });

  it.each([
    ['StackExchange.Redis', () => `127.0.0.1:${server.port},password=${first},user=app,ssl=False,abortConnect=False`],
    ['JSON', () => JSON.stringify({ host: '127.0.0.1', port: server.port, username: 'app', password: first })],
    ['a bare password', () => first],
  ])('a value in the form of %s is understood', async (form, value) => {
    const from = await vaultWith(value());
    const base = form === 'a bare password' ? { host: '127.0.0.1', port: server.port, username: 'app' } : {};
    const redis = await redisOf((await watched(from)).secret, { options: base });
    expect(await redis.acl('WHOAMI')).toBe('app');
  });

  it('after close() no connection is left, and commands are refused as closed', async () => {
    const from = await vaultWith(url(first));
    const redis = await redisOf((await watched(from)).secret);
    await redis.close();
    await expect(redis.get('key')).rejects.toMatchObject({ code: 'closed' });
    await eventually(async () => expect(await connectionsOf('app')).toBe(0));
  });
});
