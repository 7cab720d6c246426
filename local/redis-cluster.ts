/** A real Redis Cluster and a real Sentinel on loopback. */
import { Redis } from 'ioredis';
import { freePort } from './guarded-child.ts';
import { type RedisOptions, type RedisServer, startRedis, startServer } from './redis.ts';

const slotCount = 16_384;

export interface RedisClusterOptions extends RedisOptions {
  readonly masters: number;
  readonly replicas: number;
}

export interface RedisCluster {
  /** Masters first, then replicas: replica n follows master n modulo their number. */
  readonly nodes: readonly RedisServer[];
  /** Starts one more node and lets it join as a replica of `master`; resolves when every node knows it. */
  addReplica(master: number): Promise<RedisServer>;
  /** May be called again. */
  stop(): Promise<void>;
}

/** Starts a cluster and waits until every node serves and knows all others. */
export async function startRedisCluster(options: RedisClusterOptions): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    const started = Array.from({ length: options.masters + options.replicas }, () => startNode(options));
    nodes.push(...(await allStarted(started)));
    await form(nodes, options);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    nodes,
    addReplica: async (master) => {
      const node = await startNode(options);
      nodes.push(node);
      await join(node, nodes, master, options);
      await settled(nodes, options);
      return node;
    },
    stop,
  };
}

// A node that fails must not leave the others running unseen.
async function allStarted(starting: readonly Promise<RedisServer>[]): Promise<RedisServer[]> {
  const results = await Promise.allSettled(starting);
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return started;
  await Promise.all(started.map((node) => node.stop()));
  throw failed.reason;
}

async function startNode(options: RedisOptions): Promise<RedisServer> {
  const busPort = await freePort();
  const settings = [
    ...(options.settings ?? []),
    'cluster-enabled yes',
    `cluster-port ${busPort}`,
    'cluster-node-timeout 3000',
    ...(options.tls === undefined ? [] : ['tls-cluster yes']),
  ];
  return startRedis({ ...options, settings });
}

async function form(nodes: readonly RedisServer[], options: RedisClusterOptions): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    // Distinct epochs from the start spare the nodes a round of settling them.
    await command(node, options, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    if (index >= options.masters) continue;
    const from = Math.floor((index * slotCount) / options.masters);
    const until = Math.floor(((index + 1) * slotCount) / options.masters) - 1;
    await command(node, options, 'CLUSTER', 'ADDSLOTSRANGE', from, until);
  }
  for (const node of nodes.slice(1)) await meet(node, nodes, options);
  await everyoneKnows(nodes, options);
  for (const [index, node] of nodes.entries()) {
    if (index >= options.masters) await follow(node, nodes, (index - options.masters) % options.masters, options);
  }
  await settled(nodes, options);
}

async function join(node: RedisServer, nodes: readonly RedisServer[], master: number, options: RedisOptions) {
  await meet(node, nodes, options);
  await everyoneKnows(nodes, options);
  await follow(node, nodes, master, options);
}

async function meet(node: RedisServer, nodes: readonly RedisServer[], options: RedisOptions): Promise<void> {
  const [first] = nodes;
  if (first === undefined) return;
  const busPort = await command(node, options, 'CONFIG', 'GET', 'cluster-port');
  const bus = Array.isArray(busPort) ? String(busPort[1]) : '';
  await command(first, options, 'CLUSTER', 'MEET', node.host, node.port, bus);
}

async function follow(node: RedisServer, nodes: readonly RedisServer[], master: number, options: RedisOptions) {
  const leader = nodes[master];
  if (leader === undefined) throw new Error(`There is no master ${master}.`);
  const id = await command(leader, options, 'CLUSTER', 'MYID');
  await command(node, options, 'CLUSTER', 'REPLICATE', String(id));
}

function everyoneKnows(nodes: readonly RedisServer[], options: RedisOptions): Promise<void> {
  return until('all nodes know each other', nodes, async (node) => {
    const known = String(await command(node, options, 'CLUSTER', 'NODES'));
    const lines = known.trim().split('\n');
    return lines.length === nodes.length && lines.every((line) => !/handshake|noaddr/.test(line));
  });
}

function settled(nodes: readonly RedisServer[], options: RedisOptions): Promise<void> {
  return until('the cluster serves all slots', nodes, async (node) => {
    const info = String(await command(node, options, 'CLUSTER', 'INFO'));
    const replication = String(await command(node, options, 'INFO', 'replication'));
    const linked = replication.includes('role:master') || replication.includes('master_link_status:up');
    return info.includes('cluster_state:ok') && linked;
  });
}

async function until(
  what: string,
  nodes: readonly RedisServer[],
  holds: (node: RedisServer) => Promise<boolean>,
): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  for (const node of nodes) {
    while (!(await holds(node))) {
      if (Date.now() > giveUpAt) throw new Error(`Waited 30 s in vain: ${what} (node ${node.port}).`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
}

/** One command on one node, on a connection of its own, as whoever the options say replicates. */
export async function command(
  node: { readonly host: string; readonly port: number },
  options: Pick<RedisOptions, 'password' | 'replicateAs' | 'tls'>,
  name: string,
  ...args: readonly (string | number)[]
): Promise<unknown> {
  const password = options.replicateAs?.password ?? options.password;
  const client = new Redis({
    host: node.host,
    port: node.port,
    protocol: 2,
    lazyConnect: true,
    retryStrategy: null,
    disableClientInfo: true,
    enableReadyCheck: false,
    ...(options.replicateAs === undefined ? {} : { username: options.replicateAs.username }),
    ...(password === undefined ? {} : { password }),
    ...(options.tls === undefined ? {} : { tls: { ca: options.tls.ca } }),
  });
  // The failure itself comes back from the command; without a listener the library prints it as well.
  client.on('error', () => undefined);
  try {
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

/** Starts a Sentinel that watches one primary under a name. */
export async function startRedisSentinel(options: {
  readonly name: string;
  readonly primary: { readonly host: string; readonly port: number };
  readonly watchAs?: { readonly username: string; readonly password: string };
  /** Password of the Sentinel itself. */
  readonly password?: string;
}): Promise<RedisServer> {
  const { name, primary, watchAs } = options;
  return startServer('sentinel', {
    settings: [
      `sentinel monitor ${name} ${primary.host} ${primary.port} 1`,
      `sentinel down-after-milliseconds ${name} 60000`,
      ...(watchAs === undefined
        ? []
        : [`sentinel auth-user ${name} ${watchAs.username}`, `sentinel auth-pass ${name} ${watchAs.password}`]),
      ...(options.password === undefined ? [] : [`requirepass ${options.password}`]),
    ],
  });
}
