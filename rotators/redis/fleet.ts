/** Connections, logged in, to every node of one Redis: found step by step from the nodes the connection names. */
import type { ConnectionOptions } from 'node:tls';
import type { Credential } from '../../shared/contract/credential.ts';
import { type Address, authCommand, nodeName, openRedis, type RedisConnection, type Reply } from './connection.ts';
import { type Fault, fault } from './fault.ts';
import { type Depth, type NodeState, questionsAbout, stateIn } from './state.ts';
import { type NodeView, viewIn, viewOf, viewQuestions } from './topology.ts';

/** Connections opened at one time: a cluster may have hundreds of nodes. */
const atOnce = 16;

export interface Node {
  readonly name: string;
  readonly address: Address;
  readonly connection: RedisConnection;
  readonly view: NodeView;
  /** What it knew when it was joined; absent where only the nodes were asked about, and for a Sentinel. */
  readonly state?: NodeState;
  /** What the connection logged in with. */
  readonly login: Credential;
}

export type Transport = { readonly kind: 'plain' } | { readonly kind: 'tls'; readonly tls: ConnectionOptions };

export interface FleetOptions {
  /** Where to begin. Only these hosts were written by a person; all others are named by the servers. */
  readonly seeds: readonly Address[];
  /** Tried in this order on each node. */
  readonly logins: readonly Credential[];
  /** How to connect, or why a password must not be sent there: an announced address is no reason to trust who listens. */
  readonly transportFor: (address: Address) => Transport | Fault;
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
  /** Which primary; said, it also means that the seeds are Sentinels. */
  readonly sentinelName?: string;
  /** What every node is asked as it is joined. */
  readonly about: { readonly user: string; readonly depth: Depth };
}

export interface Fleet {
  readonly kind: 'fleet';
  /** The seed comes last: in a self-rotation it is the node that the next attempt begins with, so it is changed last. */
  nodes(): readonly Node[];
  sentinels(): readonly Node[];
  /**
   * Asks all nodes again and connects to those that joined. Gives how many are new. `answers`: those to `viewQuestions` that are there
   * already, each later than every change.
   */
  grow(answers: ReadonlyMap<Node, readonly Reply[]>): Promise<number | Fault>;
  /** Connects to all Sentinels that those of the connection know. */
  joinSentinels(): Promise<Fault | undefined>;
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
  const dataNodes = () => members.filter((node) => node.view.mode !== 'sentinel');
  const sentinels = () => members.filter((node) => node.view.mode === 'sentinel');
  const fleet: Fleet = {
    kind: 'fleet',
    nodes: () => dataNodes().toReversed(),
    sentinels,
    grow: async (answers) => {
      const before = members.length;
      const views = await eachAtMost(members, (node) => {
        const there = answers.get(node);
        if (there === undefined) return viewOf(node.connection, options.sentinelName);
        return viewIn(node.connection, there, options.sentinelName);
      });
      for (const view of views) if (view.kind === 'fault') return view;
      const seen = views.flatMap((view) => (view.kind === 'view' ? view.neighbours : []));
      const met = await follow(seen, 'node', options, members, known);
      return met ?? members.length - before;
    },
    joinSentinels: async () => {
      const peers = sentinels().flatMap(({ view }) => view.watches?.peers ?? []);
      return follow(peers, 'sentinel', options, members, known);
    },
    close: () => {
      for (const node of members) node.connection.close();
    },
  };
  const met = await follow(options.seeds, 'seed', options, members, known);
  if (met !== undefined) {
    fleet.close();
    return met;
  }
  if (fleet.nodes().length > 0) return fleet;
  fleet.close();
  return fault('missing', options.seeds.map(nodeName).join(', '), 'no node was found there');
}

/** `seed`: a person wrote it, and it may be a Sentinel. `node`, `sentinel`: a server named it. */
type Origin = 'seed' | 'node' | 'sentinel';

async function follow(
  first: readonly Address[],
  origin: Origin,
  options: FleetOptions,
  members: Node[],
  known: Set<string>,
): Promise<Fault | undefined> {
  let wave = first;
  let from = origin;
  while (wave.length > 0) {
    const fresh = wave.filter((address) => {
      const isNew = !known.has(nodeName(address));
      known.add(nodeName(address));
      return isNew;
    });
    const results = await eachAtMost(fresh, (address) => join(address, options, from));
    // Everybody who joined is kept before a fault is reported, so that closing the fleet closes all of them.
    for (const result of results) if (result.kind === 'joined') admit(result.node, members);
    // One of several Sentinels is enough to find the nodes; it knows whether the others have to be told anything.
    const tolerant = from === 'seed' && members.some((node) => node.view.mode === 'sentinel');
    const met = results.find((result) => result.kind === 'fault' && !(tolerant && result.fault === 'unreachable'));
    if (met?.kind === 'fault') return met;
    wave = results.flatMap((result) => (result.kind === 'joined' ? result.node.view.neighbours : []));
    from = 'node';
  }
  return undefined;
}

/** A node that is known by two addresses is kept once: two writers on one node would trip over each other. */
function admit(node: Node, members: Node[]): void {
  if (members.some((member) => member.view.runId === node.view.runId)) node.connection.close();
  else members.push(node);
}

async function join(address: Address, options: FleetOptions, origin: Origin): Promise<Joined | Fault> {
  const opened = await openAt(address, options);
  if (opened.kind === 'fault') return opened;
  const { connection } = opened;
  const entered = await enter(connection, options, origin);
  if (entered.kind === 'fault') {
    connection.close();
    return entered;
  }
  const { view, login, state } = entered;
  const node = { name: nodeName(address), address, connection, view, login };
  return { kind: 'joined', node: state === undefined ? node : { ...node, state } };
}

/** Opens a connection that is not logged in yet, where a password may be sent. */
export async function openAt(
  address: Address,
  options: FleetOptions,
): Promise<{ readonly kind: 'open'; readonly connection: RedisConnection } | Fault> {
  const transport = options.transportFor(address);
  if (transport.kind === 'fault') return transport;
  return openRedis({ ...options, address, ...(transport.kind === 'tls' ? { tls: transport.tls } : {}) });
}

interface Entered {
  readonly kind: 'entered';
  readonly view: NodeView;
  readonly state: NodeState | undefined;
  readonly login: Credential;
}

/** Logs in and asks all there is to ask, in one go. */
async function enter(connection: RedisConnection, options: FleetOptions, origin: Origin): Promise<Entered | Fault> {
  const [anyLogin] = options.logins;
  const mayBeSentinel = origin !== 'node';
  if (mayBeSentinel && options.sentinelName !== undefined && anyLogin !== undefined) {
    // A Sentinel often has no users of its own and refuses every login, so it is asked what it is before a login is tried.
    const asked = await asSentinel(connection, await connection.calls(viewQuestions), options, anyLogin);
    if (asked !== undefined) return asked;
  }
  const { user, depth } = options.about;
  let refused = fault('refused', nodeName(connection.address), 'there is no credential to try');
  for (const login of options.logins) {
    const [answer, ...answers] = await connection.calls([
      authCommand(login),
      ...viewQuestions,
      ...questionsAbout(user, depth),
    ]);
    const views = answers.slice(0, viewQuestions.length);
    if (answer?.kind === 'reply') {
      const view = await viewIn(connection, views, options.sentinelName);
      if (view.kind === 'fault') return view;
      const state = stateIn(answers.slice(viewQuestions.length), nodeName(connection.address));
      return { kind: 'entered', view, login, state: view.mode === 'sentinel' ? undefined : state };
    }
    const asked = mayBeSentinel ? await asSentinel(connection, views, options, login) : undefined;
    if (asked !== undefined) return asked;
    if (answer !== undefined && answer.fault !== 'refused') return answer;
    refused = answer ?? refused;
  }
  return refused;
}

/** What a Sentinel without a password answers to somebody who is not logged in; undefined when it is none, or wants a login. */
async function asSentinel(
  connection: RedisConnection,
  answers: readonly Reply[],
  options: FleetOptions,
  login: Credential,
): Promise<Entered | Fault | undefined> {
  const [server] = answers;
  if (server?.kind === 'fault' && server.fault !== 'refused' && server.fault !== 'forbidden') return server;
  if (server?.kind !== 'reply' || !/^redis_mode:sentinel/m.test(String(server.value))) return undefined;
  const view = await viewIn(connection, answers, options.sentinelName);
  return view.kind === 'fault' ? view : { kind: 'entered', view, login, state: undefined };
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
