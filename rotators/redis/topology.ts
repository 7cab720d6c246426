/**
 * Which nodes belong together, asked of the servers themselves: users and passwords do not spread from node to node, so each has to
 * be found. A cluster is read from CLUSTER NODES of every node and not from the slot map, which hides a fresh replica for seconds.
 */
import * as z from 'zod';
import { isLoopback } from '../../shared/loopback.ts';
import { type Address, type Command, nodeName, type RedisConnection, type Reply } from './connection.ts';
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
  /** What a Sentinel watches, and the other Sentinels that do so. */
  readonly watches?: Watched;
}

interface Watched {
  /** Its own id. */
  readonly id: string;
  readonly primary: string;
  readonly peers: readonly Address[];
}

/** What every node is asked. A node that is in no cluster answers the last one with an error that says nothing. */
export const viewQuestions: readonly Command[] = [
  ['INFO', 'server'],
  ['INFO', 'replication'],
  ['CLUSTER', 'NODES'],
];

/** Asks a node. The connection has to be logged in, except to a Sentinel without a password. */
export async function viewOf(connection: RedisConnection, sentinelName?: string): Promise<NodeView | Fault> {
  return viewIn(connection, await connection.calls(viewQuestions), sentinelName);
}

/** The same from answers to `viewQuestions`; a Sentinel is asked for what it watches. */
export async function viewIn(
  connection: RedisConnection,
  answers: readonly Reply[],
  sentinelName?: string,
): Promise<NodeView | Fault> {
  const node = nodeName(connection.address);
  const [server, replication, cluster] = answers;
  if (server === undefined || replication === undefined || cluster === undefined)
    return fault('rejected', node, 'no answer');
  if (server.kind === 'fault') return server;
  const info = parseInfo(server.value);
  const said = info.get('redis_mode');
  const mode = said === 'cluster' || said === 'sentinel' ? said : 'standalone';
  const found =
    mode === 'sentinel'
      ? await watched(connection, sentinelName)
      : mode === 'cluster'
        ? neighboursIn(cluster, (value) => parseClusterNodes(String(value), connection.address.host))
        : neighboursIn(replication, (value) => parseReplication(parseInfo(value)));
  if (found.kind === 'fault') return found;
  const astray = found.neighbours.find((address) => isLoopback(address.host) && !isLoopback(connection.address.host));
  if (astray !== undefined) {
    return fault(
      'rejected',
      node,
      `it announces the node ${nodeName(astray)}, which is nobody's address from elsewhere; set cluster-announce-ip or replica-announce-ip`,
    );
  }
  return {
    kind: 'view',
    mode,
    runId: info.get('run_id') ?? node,
    version: info.get('redis_version') ?? 'unknown',
    hasConfigFile: (info.get('config_file') ?? '') !== '',
    neighbours: found.neighbours,
    ...(found.watches === undefined ? {} : { watches: found.watches }),
  };
}

interface Found {
  readonly kind: 'found';
  readonly neighbours: readonly Address[];
  readonly watches?: Watched;
}

function neighboursIn(answer: Reply, read: (value: unknown) => Address[]): Found | Fault {
  return answer.kind === 'fault' ? answer : { kind: 'found', neighbours: read(answer.value) };
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
async function watched(connection: RedisConnection, wanted: string | undefined): Promise<Found | Fault> {
  const node = nodeName(connection.address);
  const [masters, id] = await connection.calls([
    ['SENTINEL', 'MASTERS'],
    ['SENTINEL', 'MYID'],
  ]);
  if (masters === undefined || masters.kind === 'fault') return masters ?? fault('rejected', node, 'no answer');
  const primary = chosen(node, readEntries(masters.value), wanted);
  if ('kind' in primary) return primary;
  const name = primary.get('name') ?? '';
  const [replicas, sentinels] = await connection.calls([
    ['SENTINEL', 'REPLICAS', name],
    ['SENTINEL', 'SENTINELS', name],
  ]);
  if (replicas === undefined || replicas.kind === 'fault') return replicas ?? fault('rejected', node, 'no answer');
  const peers = sentinels?.kind === 'reply' ? addressesIn(readEntries(sentinels.value)) : [];
  return {
    kind: 'found',
    neighbours: addressesIn([primary, ...readEntries(replicas.value)]),
    watches: { id: id?.kind === 'reply' ? String(id.value) : '', primary: name, peers },
  };
}

type Entry = ReadonlyMap<string, string>;

function chosen(node: string, primaries: readonly Entry[], wanted: string | undefined): Entry | Fault {
  const fitting = wanted === undefined ? primaries : primaries.filter((entry) => entry.get('name') === wanted);
  const [primary] = fitting;
  const names = primaries.map((entry) => entry.get('name') ?? '').join(', ');
  if (primary === undefined) {
    return fault(
      'missing',
      node,
      `the Sentinel watches ${names === '' ? 'nothing' : names}, not ${wanted ?? 'a primary'}`,
    );
  }
  if (fitting.length === 1) return primary;
  return fault('rejected', node, `the Sentinel watches ${names}; say which with serviceName in the connection`);
}

function addressesIn(entries: readonly Entry[]): readonly Address[] {
  return entries.flatMap((entry) => {
    const host = entry.get('ip');
    const port = Number(entry.get('port'));
    return host !== undefined && host !== '' && port > 0 ? [{ host, port }] : [];
  });
}

function readEntries(reply: unknown): Entry[] {
  const parsed = sentinelEntries.safeParse(reply);
  const rows = parsed.success ? parsed.data : [];
  return rows.map(
    (row) =>
      new Map(
        row.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, row[index + 1] ?? '']] : [])),
      ),
  );
}
