/** Connections, logged in, to every node of one Redis: found step by step from the node the connection names. */
import type { ConnectionOptions } from 'node:tls';
import type { Credential } from '../../shared/contract/credential.ts';
import { type Address, nodeName, openRedis, type RedisConnection } from './connection.ts';
import { type Fault, fault } from './fault.ts';
import { type NodeView, viewOf } from './topology.ts';

/** Connections opened at one time: a cluster may have hundreds of nodes. */
const atOnce = 16;

export interface Node {
  readonly name: string;
  readonly address: Address;
  readonly connection: RedisConnection;
  readonly view: NodeView;
  /** What the connection logged in with. */
  readonly login: Credential;
}

export interface FleetOptions {
  /** Where to begin. Only these hosts come from an admin connection; all others are named by the servers. */
  readonly seeds: readonly Address[];
  /** Tried in this order on each node. */
  readonly logins: readonly Credential[];
  readonly tlsFor: (address: Address) => ConnectionOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
  readonly sentinelName?: string;
}

export interface Fleet {
  readonly kind: 'fleet';
  /** The seed comes last: in a self-rotation it is the node that the next attempt begins with, so it is changed last. */
  nodes(): readonly Node[];
  /** Asks all nodes again and connects to those that joined. Gives how many are new. */
  grow(): Promise<number | Fault>;
  /** May be called again. */
  close(): void;
}

interface Joined {
  readonly kind: 'joined';
  readonly node: Node;
}

/** Connects to all nodes. A single node that cannot be reached is the fault of the whole: its users would stay as they are. */
export async function gather(options: FleetOptions): Promise<Fleet | Fault> {
  const members: Node[] = [];
  const known = new Set<string>();
  const fleet: Fleet = {
    kind: 'fleet',
    nodes: () => members.filter((node) => node.view.mode !== 'sentinel').toReversed(),
    grow: async () => {
      const before = members.length;
      const views = await eachAtMost(members, (node) => viewOf(node.connection, options.sentinelName));
      for (const view of views) if (view.kind === 'fault') return view;
      const seen = views.flatMap((view) => (view.kind === 'view' ? view.neighbours : []));
      const met = await follow(seen, options, members, known);
      return met ?? members.length - before;
    },
    close: () => {
      for (const node of members) node.connection.close();
    },
  };
  const met = await follow(options.seeds, options, members, known);
  if (met !== undefined) {
    fleet.close();
    return met;
  }
  if (fleet.nodes().length > 0) return fleet;
  fleet.close();
  return fault('missing', options.seeds.map(nodeName).join(', '), 'no node was found there');
}

async function follow(
  first: readonly Address[],
  options: FleetOptions,
  members: Node[],
  known: Set<string>,
): Promise<Fault | undefined> {
  let wave = first;
  // Only what a person wrote may be a Sentinel; servers name each other's data nodes.
  let maySentinel = members.length === 0;
  while (wave.length > 0) {
    const fresh = wave.filter((address) => {
      const isNew = !known.has(nodeName(address));
      known.add(nodeName(address));
      return isNew;
    });
    const results = await eachAtMost(fresh, (address) => join(address, options, maySentinel));
    maySentinel = false;
    // Everybody who joined is kept before a fault is reported, so that closing the fleet closes all of them.
    for (const result of results) if (result.kind === 'joined') admit(result.node, members);
    const met = results.find((result) => result.kind === 'fault');
    if (met !== undefined) return met;
    wave = results.flatMap((result) => (result.kind === 'joined' ? result.node.view.neighbours : []));
  }
  return undefined;
}

/** A node that is known by two addresses is kept once: two writers on one node would trip over each other. */
function admit(node: Node, members: Node[]): void {
  if (members.some((member) => member.view.runId === node.view.runId)) node.connection.close();
  else members.push(node);
}

async function join(address: Address, options: FleetOptions, maySentinel: boolean): Promise<Joined | Fault> {
  const tls = options.tlsFor(address);
  const opened = await openRedis({
    address,
    connectTimeoutMs: options.connectTimeoutMs,
    signal: options.signal,
    remainingMs: options.remainingMs,
    ...(tls === undefined ? {} : { tls }),
  });
  if (opened.kind === 'fault') return opened;
  const { connection } = opened;
  const entered = await enter(connection, options, maySentinel);
  if (entered.kind === 'fault') {
    connection.close();
    return entered;
  }
  const name = nodeName(address);
  return { kind: 'joined', node: { name, address, connection, view: entered.view, login: entered.login } };
}

async function enter(
  connection: RedisConnection,
  options: FleetOptions,
  maySentinel: boolean,
): Promise<{ readonly kind: 'entered'; readonly view: NodeView; readonly login: Credential } | Fault> {
  const [anyLogin] = options.logins;
  if (maySentinel && anyLogin !== undefined) {
    // A Sentinel often has no users of its own and refuses every login, so it is asked what it is before a login is tried.
    const view = await viewOf(connection, options.sentinelName);
    if (view.kind === 'view' && view.mode === 'sentinel') return { kind: 'entered', view, login: anyLogin };
    if (view.kind === 'fault' && view.fault !== 'refused' && view.fault !== 'forbidden') return view;
  }
  let refused = fault('refused', nodeName(connection.address), 'there is no credential to try');
  for (const login of options.logins) {
    const answer = await connection.login(login);
    if (answer.kind === 'accepted') {
      const view = await viewOf(connection, options.sentinelName);
      return view.kind === 'fault' ? view : { kind: 'entered', view, login };
    }
    if (answer.fault !== 'refused') return answer;
    refused = answer;
  }
  return refused;
}

/** Runs `work` for all items, some at a time, results in the order of the items. */
export async function eachAtMost<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += atOnce) {
    results.push(...(await Promise.all(items.slice(from, from + atOnce).map(work))));
  }
  return results;
}
