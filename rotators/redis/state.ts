/** What a node knows of one user and of itself, asked in one go. */
import type { Command, Reply } from './connection.ts';
import type { Fault } from './fault.ts';
import { type Secrets, secretQuestions, secretsIn, settingIn } from './settings.ts';
import { type User, userIn, userQuestion } from './users.ts';

/** `nodes`: only which nodes there are. `user`: the user, and where users are kept. `everything`: also who uses its password inside. */
export type Depth = 'nodes' | 'user' | 'everything';

/** A Sentinel that is connected to the node. */
export interface Watcher {
  /** The first eight digits of its id, which is what it shows of itself. */
  readonly id: string;
  readonly user: string;
}

export interface NodeState {
  readonly user: User | { readonly kind: 'missing' } | Fault;
  /** The file with its users; empty: it has none. */
  readonly aclFile: { readonly kind: 'file'; readonly path: string } | Fault;
  readonly secrets: Secrets | Fault;
  readonly watchers: { readonly kind: 'watchers'; readonly watchers: readonly Watcher[] } | Fault;
}

export function questionsAbout(user: string, depth: Depth): readonly Command[] {
  if (depth === 'nodes') return [];
  const own: readonly Command[] = [userQuestion(user), ['CONFIG', 'GET', 'aclfile']];
  // A Sentinel listens to what its nodes publish, so it is among those that do, and the list is a short one.
  return depth === 'user' ? own : [...own, ...secretQuestions, ['CLIENT', 'LIST', 'TYPE', 'PUBSUB']];
}

/** Undefined when only the nodes were asked about. */
export function stateIn(answers: readonly Reply[], node: string): NodeState | undefined {
  const [user, aclFile, requirepass, masterauth, masteruser, clients] = answers;
  if (user === undefined || aclFile === undefined) return undefined;
  const unasked: Fault = { kind: 'fault', fault: 'forbidden', node, detail: 'it was not asked' };
  const secrets = [requirepass, masterauth, masteruser].filter((one) => one !== undefined);
  return {
    user: userIn(user, node),
    aclFile: aclFile.kind === 'fault' ? aclFile : { kind: 'file', path: settingIn(aclFile) },
    secrets: secrets.length === 0 ? unasked : secretsIn(secrets),
    watchers: clients === undefined ? unasked : watchersIn(clients),
  };
}

// Its name is "sentinel-", eight digits and what the connection is for: instanceLinkSendAuth and sentinelReconnectInstance in sentinel.c.
function watchersIn(answer: Reply): NodeState['watchers'] {
  if (answer.kind === 'fault') return answer;
  const watchers = String(answer.value)
    .split('\n')
    .flatMap((line): Watcher[] => {
      const id = / name=sentinel-([0-9a-f]{8})-/.exec(line)?.[1];
      const user = / user=(\S+)/.exec(line)?.[1];
      return id === undefined || user === undefined ? [] : [{ id, user }];
    });
  return { kind: 'watchers', watchers };
}
