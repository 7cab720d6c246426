/** Who is connected as a user, and how they are made to leave. */

import { type Failure, failure } from '../../shared/errors.ts';
import { startWaiting, type Waiting } from '../common/patience.ts';
import { userOf } from './change.ts';
import type { RedisStep } from './connect.ts';
import type { Command, Reply } from './connection.ts';
import { type Fault, fault } from './fault.ts';
import { eachAtMost, type Fleet, type Node } from './fleet.ts';

export interface Sessions {
  readonly kind: 'sessions';
  readonly count: number;
  /** Client names and addresses, each once. */
  readonly by: readonly string[];
}

const questions: readonly Command[] = [
  ['CLIENT', 'ID'],
  ['CLIENT', 'LIST'],
];

/** Sessions of the user on all nodes. Our own connections and the links of replicas are not counted. */
export async function sessionsOf(fleet: Fleet, user: string): Promise<Sessions | Fault> {
  const perNode = await eachAtMost(fleet.nodes(), async ({ connection }) => {
    const [own, list] = await connection.calls(questions);
    return clientsIn(own, list, user);
  });
  const by = new Set<string>();
  let count = 0;
  for (const answer of perNode) {
    if (answer.kind === 'fault') return answer;
    const sessions = answer.clients.filter((client) => !isLink(client));
    count += sessions.length;
    for (const client of sessions) by.add(describe(client));
  }
  return { kind: 'sessions', count, by: [...by].sort() };
}

/** A session that is still there after this time, in ms, is stuck. */
const endingMs = 20_000;
const lookEveryMs = 40;

/**
 * Ends all sessions of the user on all nodes but our own, and looks until none of them is left or the time is over. Gives how many there
 * were. Those that come back do so with the password that is left.
 */
export async function endSessions(
  step: RedisStep,
  fleet: Fleet,
  user: string,
): Promise<{ readonly kind: 'ended'; readonly count: number } | Failure | Fault> {
  const waiting = startWaiting(step, { intervalMs: lookEveryMs, deadlineMs: endingMs });
  const looks = await eachAtMost(fleet.nodes(), (node) => endOn(node, user, waiting));
  let count = 0;
  let left = 0;
  let forbidden: Fault | undefined;
  for (const look of looks) {
    if (look.kind === 'fault') return look;
    count += look.count;
    left += look.left;
    forbidden ??= look.forbidden;
  }
  if (left === 0) return { kind: 'ended', count };
  const admin = fleet.nodes().map((node) => userOf(node.login))[0] ?? '';
  const names = fleet.nodes().map((node) => node.name);
  return failure('sessions-open', {
    secret: step.secret,
    target: `Redis at ${names.join(', ')}`,
    login: user,
    sessions: left,
    detail: forbidden?.detail ?? 'they were told to end and are still there',
    fix:
      forbidden === undefined
        ? `See what holds them on every node: CLIENT LIST.`
        : `Run on every node: ACL SETUSER ${admin} +client|kill, then ACL SAVE.`,
  });
}

async function endOn(
  { connection }: Node,
  user: string,
  waiting: Waiting,
): Promise<
  { readonly kind: 'told'; readonly count: number; readonly left: number; readonly forbidden?: Fault } | Fault
> {
  const [own, before, killed, after] = await connection.calls([
    ...questions,
    ['CLIENT', 'KILL', 'USER', user, 'SKIPME', 'yes'],
    ['CLIENT', 'LIST'],
  ]);
  const first = clientsIn(own, before, user);
  if (first.kind === 'fault') return first;
  const count = first.clients.filter((client) => !isLink(client)).length;
  // The kill is refused for a user that does not exist: then nobody is connected as it either.
  const met = killed?.kind === 'fault' && !/No such user/i.test(killed.detail) ? killed : undefined;
  if (met !== undefined && met.fault !== 'forbidden') return met;
  if (met !== undefined) return { kind: 'told', count, left: count, forbidden: met };
  const ids = new Set(first.clients.map((client) => client.get('id')));
  let list = after;
  for (;;) {
    const now = clientsIn(own, list, user);
    if (now.kind === 'fault') return now;
    const left = now.clients.filter((client) => ids.has(client.get('id'))).length;
    if (left === 0 || !(await waiting.again())) return { kind: 'told', count, left };
    list = await connection.call('CLIENT', 'LIST');
  }
}

function clientsIn(
  own: Reply | undefined,
  list: Reply | undefined,
  user: string,
): { readonly kind: 'clients'; readonly clients: readonly Client[] } | Fault {
  if (own?.kind !== 'reply') return own ?? fault('rejected', '', 'no answer');
  if (list?.kind !== 'reply') return list ?? fault('rejected', '', 'no answer');
  const clients = String(list.value).split('\n').map(parseClient);
  const others = clients.filter((client) => client.get('user') === user && client.get('id') !== String(own.value));
  return { kind: 'clients', clients: others };
}

type Client = ReadonlyMap<string, string>;

function parseClient(line: string): Client {
  return new Map(
    line.split(' ').flatMap((field): [string, string][] => {
      const equals = field.indexOf('=');
      return equals > 0 ? [[field.slice(0, equals), field.slice(equals + 1)]] : [];
    }),
  );
}

function isLink(client: Client): boolean {
  return /[SM]/.test(client.get('flags') ?? '');
}

function describe(client: Client): string {
  const address = (client.get('addr') ?? '').replace(/:\d+$/, '');
  const name = client.get('name') ?? '';
  return name === '' ? address : `${name} (${address})`;
}
