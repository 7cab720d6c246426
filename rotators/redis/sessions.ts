/** Who is connected as a user, and how they are made to leave. */

import type { Fault } from './fault.ts';
import { eachAtMost, type Fleet } from './fleet.ts';

export interface Sessions {
  readonly kind: 'sessions';
  readonly count: number;
  /** Client names and addresses, each once. */
  readonly by: readonly string[];
}

/** Sessions of the user on all nodes. Our own connections and the links of replicas are not counted. */
export async function sessionsOf(fleet: Fleet, user: string): Promise<Sessions | Fault> {
  const perNode = await eachAtMost(fleet.nodes(), async ({ connection }) => {
    const own = await connection.call('CLIENT', 'ID');
    if (own.kind === 'fault') return own;
    const listed = await connection.call('CLIENT', 'LIST');
    if (listed.kind === 'fault') return listed;
    const clients = String(listed.value).split('\n').map(parseClient);
    return {
      kind: 'clients' as const,
      clients: clients.filter((client) => isSession(client, user, String(own.value))),
    };
  });
  const by = new Set<string>();
  let count = 0;
  for (const answer of perNode) {
    if (answer.kind === 'fault') return answer;
    count += answer.clients.length;
    for (const client of answer.clients) by.add(describe(client));
  }
  return { kind: 'sessions', count, by: [...by].sort() };
}

/** Ends all sessions of the user on all nodes but our own. Gives how many there were. */
export async function endSessions(fleet: Fleet, user: string): Promise<{ kind: 'ended'; count: number } | Fault> {
  let count = 0;
  for (const answer of await eachAtMost(fleet.nodes(), ({ connection }) =>
    connection.call('CLIENT', 'KILL', 'USER', user, 'SKIPME', 'yes'),
  )) {
    // The kill is refused for a user that does not exist: then nobody is connected as it either.
    if (answer.kind === 'fault' && !/No such user/i.test(answer.detail)) return answer;
    if (answer.kind === 'reply') count += Number(answer.value);
  }
  return { kind: 'ended', count };
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

function isSession(client: Client, user: string, ownId: string): boolean {
  const isLink = /[SM]/.test(client.get('flags') ?? '');
  return client.get('user') === user && client.get('id') !== ownId && !isLink;
}

function describe(client: Client): string {
  const address = (client.get('addr') ?? '').replace(/:\d+$/, '');
  const name = client.get('name') ?? '';
  return name === '' ? address : `${name} (${address})`;
}
