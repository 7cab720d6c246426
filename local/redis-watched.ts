/** A real Redis primary with one replica, and Sentinels that watch them and put the replica in the primary's place. */

import { type RedisOptions, type RedisServer, startRedis } from './redis.ts';
import { command, startRedisSentinel } from './redis-cluster.ts';

export interface WatchedRedisOptions extends RedisOptions {
  /** Name of the primary at the Sentinels. */
  readonly name: string;
  /** Whom the Sentinels log in as. Default: as the replica does. */
  readonly watchAs?: { readonly username: string; readonly password: string };
  /** Default 1. */
  readonly sentinels?: number;
}

export interface WatchedRedis {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly RedisServer[];
  /** Whether each Sentinel still reaches primary and replica with what it logs in as. */
  isWatched(): Promise<boolean>;
  /** May be called again. */
  stop(): Promise<void>;
}

/** Starts all and waits until the replica follows and every Sentinel knows it. */
export async function startWatchedRedis(options: WatchedRedisOptions): Promise<WatchedRedis> {
  const { name, watchAs = options.replicateAs, ...nodes } = options;
  const started: RedisServer[] = [];
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
  };
  const keep = async (server: Promise<RedisServer>) => {
    started.push(await server);
    return server;
  };
  try {
    const primary = await keep(startRedis(nodes));
    const replica = await keep(startRedis({ ...nodes, replicaOf: primary }));
    const watching = { name, primary, ...(watchAs === undefined ? {} : { watchAs }) };
    const sentinels: RedisServer[] = [];
    for (let more = options.sentinels ?? 1; more > 0; more--) sentinels.push(await keep(startRedisSentinel(watching)));
    const isWatched = async () => (await Promise.all(sentinels.map((one) => seesBoth(one, name)))).every(Boolean);
    await until(isWatched);
    return { primary, replica, sentinels, isWatched, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Whether the Sentinel has a link to the primary and to one replica: it counts `ok-ping-reply` only after it logged in. */
async function seesBoth(sentinel: RedisServer, name: string): Promise<boolean> {
  const primary = flat(await command(sentinel, {}, 'SENTINEL', 'MASTER', name));
  const replicas = await command(sentinel, {}, 'SENTINEL', 'REPLICAS', name);
  const [replica] = Array.isArray(replicas) ? replicas.map(flat) : [];
  return isUp(primary) && isUp(replica) && replica?.get('master-link-status') === 'ok';
}

function isUp(node: ReadonlyMap<string, string> | undefined): boolean {
  const late = Number(node?.get('last-ok-ping-reply'));
  return node !== undefined && late < 2_000 && !/down|disconnected/.test(node.get('flags') ?? 'down');
}

function flat(answer: unknown): ReadonlyMap<string, string> {
  const words = Array.isArray(answer) ? answer.map(String) : [];
  return new Map(words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? ''] as const] : [])));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error('Waited 30 s in vain until the Sentinels know primary and replica.');
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
