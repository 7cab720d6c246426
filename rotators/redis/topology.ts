/**
 * Which nodes belong together, asked of the servers themselves: users and passwords do not spread from node to node, so each has to
 * be found. A cluster is read from CLUSTER NODES of every node and not from the slot map, which hides a fresh replica for seconds.
 */
import * as z from 'zod';
import { isLoopback } from '../../shared/loopback.ts';
import type { Address } from './connection.ts';
import { nodeName, type RedisConnection } from './connection.ts';
import { type Fault, fault } from './fault.ts';

/** What one node says of itself. */
export interface NodeView {
  readonly kind: 'view';
  readonly mode: 'standalone' | 'cluster' | 'sentinel';
  /** The same for all addresses of one process, another after its restart. */
  readonly runId: string;
  readonly version: string;
  /** Whether it was started from a configuration file that CONFIG REWRITE could write to. */
  readonly hasConfigFile: boolean;
  readonly neighbours: readonly Address[];
}

/** Asks a node. The connection has to be logged in, except to a Sentinel without a password. */
export async function viewOf(connection: RedisConnection, sentinelName?: string): Promise<NodeView | Fault> {
  const node = nodeName(connection.address);
  const server = await connection.call('INFO', 'server');
  if (server.kind === 'fault') return server;
  const info = parseInfo(server.value);
  const mode = info.get('redis_mode');
  const found =
    mode === 'cluster'
      ? await clusterNeighbours(connection)
      : mode === 'sentinel'
        ? await watched(connection, sentinelName)
        : await replicationNeighbours(connection);
  if (!Array.isArray(found)) return found;
  const astray = found.find((address) => isLoopback(address.host) && !isLoopback(connection.address.host));
  if (astray !== undefined) {
    return fault(
      'rejected',
      node,
      `it announces the node ${nodeName(astray)}, which is nobody's address from elsewhere; set cluster-announce-ip or replica-announce-ip`,
    );
  }
  return {
    kind: 'view',
    mode: mode === 'cluster' || mode === 'sentinel' ? mode : 'standalone',
    runId: info.get('run_id') ?? node,
    version: info.get('redis_version') ?? 'unknown',
    hasConfigFile: (info.get('config_file') ?? '') !== '',
    neighbours: found,
  };
}

/** Lines of `name:value`, as INFO gives them. */
export function parseInfo(reply: unknown): ReadonlyMap<string, string> {
  const text = typeof reply === 'string' ? reply : '';
  const pairs = text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : [];
  });
  return new Map(pairs);
}

async function clusterNeighbours(connection: RedisConnection): Promise<Address[] | Fault> {
  const answer = await connection.call('CLUSTER', 'NODES');
  if (answer.kind === 'fault') return answer;
  return parseClusterNodes(String(answer.value), connection.address.host);
}

/**
 * The addresses in an answer to CLUSTER NODES: `id ip:port@bus,hostname flags …`. Nodes without an address and those still shaking
 * hands are left out, nodes that failed are not: they come back with the users they had. `ownHost` stands in where a node does not
 * know its own address.
 */
export function parseClusterNodes(text: string, ownHost: string): Address[] {
  return text.split('\n').flatMap((line) => {
    const [, where = '', flags = ''] = line.trim().split(' ');
    if (where === '' || /noaddr|handshake/.test(flags)) return [];
    const [ipAndPort = '', hostname = ''] = where.replace(/@\d+/, '').split(',');
    const colon = ipAndPort.lastIndexOf(':');
    const port = Number(ipAndPort.slice(colon + 1));
    const announced =
      hostname !== '' && hostname !== '?' && !hostname.includes('=') ? hostname : ipAndPort.slice(0, colon);
    if (!Number.isInteger(port) || port <= 0) return [];
    return [{ host: announced === '' ? ownHost : announced, port }];
  });
}

async function replicationNeighbours(connection: RedisConnection): Promise<Address[] | Fault> {
  const answer = await connection.call('INFO', 'replication');
  if (answer.kind === 'fault') return answer;
  return parseReplication(parseInfo(answer.value));
}

/** The primary of a replica and the replicas of a node, from the replication section of INFO. */
export function parseReplication(info: ReadonlyMap<string, string>): Address[] {
  const addresses: Address[] = [];
  const primary = info.get('master_host');
  if (primary !== undefined) addresses.push({ host: primary, port: Number(info.get('master_port')) });
  for (const [name, value] of info) {
    if (!/^slave\d+$/.test(name)) continue;
    const fields = new Map(value.split(',').map((field): [string, string] => splitOnce(field)));
    const host = fields.get('ip');
    const port = Number(fields.get('port'));
    if (host !== undefined && port > 0) addresses.push({ host, port });
  }
  return addresses;
}

function splitOnce(field: string): [string, string] {
  const equals = field.indexOf('=');
  return [field.slice(0, equals), field.slice(equals + 1)];
}

const sentinelEntries = z.array(z.array(z.string()));

// A Sentinel also knows replicas that are down now; they must not come back with an old password unseen.
async function watched(connection: RedisConnection, wanted: string | undefined): Promise<Address[] | Fault> {
  const node = nodeName(connection.address);
  const answer = await connection.call('SENTINEL', 'MASTERS');
  if (answer.kind === 'fault') return answer;
  const primaries = readEntries(answer.value);
  const chosen = wanted === undefined ? primaries : primaries.filter((entry) => entry.get('name') === wanted);
  const [primary] = chosen;
  const names = primaries.map((entry) => entry.get('name') ?? '').join(', ');
  if (primary === undefined) {
    return fault(
      'missing',
      node,
      `the Sentinel watches ${names === '' ? 'nothing' : names}, not ${wanted ?? 'a primary'}`,
    );
  }
  if (chosen.length > 1) {
    return fault('rejected', node, `the Sentinel watches ${names}; say which with serviceName in the connection`);
  }
  const replicas = await connection.call('SENTINEL', 'REPLICAS', primary.get('name') ?? '');
  if (replicas.kind === 'fault') return replicas;
  return [primary, ...readEntries(replicas.value)].flatMap((entry) => {
    const host = entry.get('ip');
    const port = Number(entry.get('port'));
    return host !== undefined && port > 0 ? [{ host, port }] : [];
  });
}

function readEntries(reply: unknown): ReadonlyMap<string, string>[] {
  const parsed = sentinelEntries.safeParse(reply);
  const rows = parsed.success ? parsed.data : [];
  return rows.map(
    (row) =>
      new Map(
        row.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, row[index + 1] ?? '']] : [])),
      ),
  );
}
