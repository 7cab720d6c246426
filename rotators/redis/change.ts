/** Changes passwords of one user on all nodes, in an order in which every moment is safe. */
import type { Credential } from '../../shared/contract/credential.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Command, Reply } from './connection.ts';
import { type Fault, fault } from './fault.ts';
import { eachAtMost, type Fleet, type Node } from './fleet.ts';
import { keepAll } from './keep.ts';
import { objectionToWatchers, tellSentinels } from './sentinels.ts';
import { defaultUser, replicatesAs, type Secrets, settingCommand } from './settings.ts';
import { viewQuestions } from './topology.ts';
import { faultOfChange, hashOf, passwordCommands, type User } from './users.ts';

/** Nodes may join while others are changed; after this many rounds somebody is rebuilding the whole, and the next attempt goes on. */
const mostRounds = 5;

export interface Changed {
  readonly kind: 'changed';
  /** Whole sentences for a person. */
  readonly warnings: readonly string[];
}

/** The name a credential logs in with. */
export function userOf(credential: Credential): string {
  return credential.username === undefined || credential.username === '' ? defaultUser : credential.username;
}

/** Says why the login must not be changed on a node through this secret; undefined when it may. */
export type Guard = (node: Node, user: User) => Fault | undefined;

export interface Change {
  readonly candidate: Credential;
  /** Passwords that stay beside the candidate's. Empty: it replaces all others. */
  readonly kept: readonly SecretText[];
  readonly guard: Guard;
}

/**
 * Adds the candidate on every node, hands it to the links between nodes and to the Sentinels that use this login, has both passwords kept,
 * and only then removes those that are not to stay: what a crashed attempt left behind, and in a replacement the one before. Up to there
 * the password before works everywhere, and nothing is lost when it goes no further.
 */
export async function addPassword(fleet: Fleet, change: Change): Promise<Changed | Fault> {
  const user = userOf(change.candidate);
  const objection = await objectionToWatchers(fleet, user);
  if (objection !== undefined) return objection;
  const added = await onEveryNode(fleet, (node) => commandsToAdd(node, user, change));
  if (added !== undefined) return added;
  const handed = await handOver(fleet, user, change.candidate.password);
  if (handed.kind === 'fault') return handed;
  const surplus = new Map(fleet.nodes().map((node) => [node, surplusOn(node, user, change)]));
  const settings = new Set([
    ...handed.settings,
    ...fleet.nodes().filter((node) => surplus.get(node)?.setting === true),
  ]);
  const removes = [...surplus.values()].some((one) => one.commands.length > 0);
  // What replaces the only good password is on file before that one goes.
  if (removes && change.kept.length === 0) {
    const kept = await keepAll(fleet, handed.settings);
    if (kept.kind === 'fault') return kept;
  }
  const removed = await firstFault(fleet.nodes(), async (node) =>
    faultOfChange(await node.connection.calls(surplus.get(node)?.commands ?? [])),
  );
  if (removed !== undefined) return removed;
  const kept = await keepAll(fleet, settings);
  return kept.kind === 'fault' ? kept : { kind: 'changed', warnings: [...handed.warnings, ...kept.warnings] };
}

/**
 * Takes one password away from the user on every node, after the links and the Sentinels have the one that stays; none where they have it
 * since it was applied. A node or a user that does not have it is fine. The change is not kept yet: see keep.ts.
 */
export async function removePassword(
  fleet: Fleet,
  previous: Credential,
  stays: SecretText | undefined,
): Promise<
  { readonly kind: 'removed'; readonly settings: ReadonlySet<Node>; readonly warnings: readonly string[] } | Fault
> {
  const user = userOf(previous);
  const hash = hashOf(previous.password);
  const having = fleet.nodes().filter(({ state }) => state?.user.kind === 'user' && state.user.hashes.has(hash));
  // Before Redis 6 there was one password for everybody, and it was replaced at apply.
  const met = fleet.nodes().flatMap(({ state }) => (state?.user.kind === 'fault' ? [state.user] : []));
  const [unseen] = met.filter((one) => one.fault !== 'unknown-command');
  if (unseen !== undefined) return unseen;
  if (having.length === 0) return { kind: 'removed', settings: new Set(), warnings: [] };
  const objection = await objectionToWatchers(fleet, user);
  if (objection !== undefined) return objection;
  const handed =
    stays === undefined
      ? { kind: 'handed' as const, settings: new Set<Node>(), warnings: [] }
      : await handOver(fleet, user, stays);
  if (handed.kind === 'fault') return handed;
  const removed = await firstFault(having, async (node) =>
    faultOfChange(await node.connection.calls(passwordCommands(user, { add: [], remove: [hash] }))),
  );
  return removed ?? { kind: 'removed', settings: handed.settings, warnings: handed.warnings };
}

/** What adds the candidate on a node; nothing where it is there, and where one password is for everybody: it is set later, in place of all. */
function commandsToAdd(node: Node, user: string, change: Change): readonly Command[] | Fault {
  const { candidate, guard } = change;
  const found = existing(node, user);
  if (found.kind === 'fault') {
    const secrets = onePassword(node, user, change);
    return secrets === undefined ? found : (guard(node, everybody(secrets)) ?? []);
  }
  const unsafe = guard(node, found);
  if (unsafe !== undefined) return unsafe;
  const wanted = hashOf(candidate.password);
  return passwordCommands(user, { add: found.hashes.has(wanted) ? [] : [wanted], remove: [] });
}

/** What takes the passwords away that are not to stay. `setting`: a setting is changed by it. */
function surplusOn(node: Node, user: string, change: Change) {
  const { candidate, kept } = change;
  const found = node.state?.user;
  const hashes = found?.kind === 'user' ? [...found.hashes] : [];
  const secrets = onePassword(node, user, change);
  if (secrets !== undefined) {
    // Where the password of everybody stands among the settings it is set there: it replaces all that the user has.
    const isDone = secrets.requirepass === candidate.password.reveal() && hashes.length <= 1;
    return { setting: true, commands: isDone ? [] : [settingCommand('requirepass', candidate.password)] };
  }
  const known = new Set([candidate.password, ...kept].map(hashOf));
  const remove = hashes.filter((hash) => !known.has(hash));
  return { setting: false, commands: passwordCommands(user, { add: [], remove }) };
}

/** The settings of a node whose password of everybody is replaced among them. */
function onePassword(node: Node, user: string, change: Change): Secrets | undefined {
  const secrets = node.state?.secrets;
  if (change.kept.length > 0 || user !== defaultUser || secrets?.kind !== 'secrets') return undefined;
  return secrets.requirepass === '' ? undefined : secrets;
}

// With one password for everybody, whoever has it may do everything.
function everybody(secrets: Secrets): User {
  const hashes = new Set([hashOf(new SecretText(secrets.requirepass))]);
  return { kind: 'user', enabled: true, takesAnyPassword: false, powers: ['everything'], hashes };
}

function existing(node: Node, user: string): User | Fault {
  const found = node.state?.user ?? { kind: 'missing' };
  if (found.kind === 'missing') return fault('missing', node.name, `it has no user ${user}`);
  if (found.kind === 'user' && found.takesAnyPassword) {
    // Giving it a first password would lock out everybody who logs in without one.
    return fault('rejected', node.name, `its user ${user} takes any password (nopass); give it a password first`);
  }
  return found;
}

/**
 * Gives the password that stays to whoever inside uses this login: replicas, which would lose their primary at the next reconnect after the
 * old one is gone, and Sentinels.
 */
async function handOver(
  fleet: Fleet,
  user: string,
  password: SecretText,
): Promise<
  { readonly kind: 'handed'; readonly settings: ReadonlySet<Node>; readonly warnings: readonly string[] } | Fault
> {
  const nodes = fleet.nodes();
  const settings = new Set<Node>();
  const unseen: string[] = [];
  const met = await firstFault(nodes, async (node) => {
    const secrets = node.state?.secrets;
    if (secrets === undefined || secrets.kind === 'fault') {
      if (secrets !== undefined && secrets.fault !== 'forbidden' && secrets.fault !== 'unknown-command') return secrets;
      if (nodes.length > 1) unseen.push(node.name);
      return undefined;
    }
    if (!replicatesAs(secrets, user)) return undefined;
    settings.add(node);
    if (secrets.masterauth === password.reveal()) return undefined;
    return faultOfChange(await node.connection.calls([settingCommand('masterauth', password)]));
  });
  const untold = met ?? (await tellSentinels(fleet, user, password));
  if (untold !== undefined) return untold;
  const warning = `Whether ${unseen.join(', ')} replicate as ${user} could not be seen: grant the rotation admin +config|get and +config|set, or set masterauth by hand.`;
  return { kind: 'handed', settings, warnings: unseen.length === 0 ? [] : [warning] };
}

/** Sends to each node what is for it, once, also to those that join meanwhile. The seed's turn comes after all others. */
async function onEveryNode(
  fleet: Fleet,
  commandsFor: (node: Node) => readonly Command[] | Fault,
): Promise<Fault | undefined> {
  const done = new Set<Node>();
  for (let round = 0; round < mostRounds; round++) {
    const open = fleet.nodes().filter((node) => !done.has(node));
    const last = open.at(-1);
    if (last === undefined) return undefined;
    const met = await firstFault(open.slice(0, -1), async (node) => {
      const sent = await sendTo(node, commandsFor(node), []);
      return sent.kind === 'fault' ? sent : undefined;
    });
    if (met !== undefined) return met;
    // What the last one sees it says with its change, which comes after those of all others.
    const sent = await sendTo(last, commandsFor(last), viewQuestions);
    if (sent.kind === 'fault') return sent;
    for (const node of open) done.add(node);
    const grown = await fleet.grow(new Map([[last, sent.answers]]));
    if (typeof grown !== 'number') return grown;
  }
  const names = fleet
    .nodes()
    .map((node) => node.name)
    .join(', ');
  return fault('busy', names, 'nodes keep joining');
}

/** Sends changes and, behind them, questions in one go. */
async function sendTo(
  node: Node,
  changes: readonly Command[] | Fault,
  questions: readonly Command[],
): Promise<{ readonly kind: 'sent'; readonly answers: readonly Reply[] } | Fault> {
  if ('kind' in changes) return changes;
  const answers = await node.connection.calls([...changes, ...questions]);
  const met = faultOfChange(answers.slice(0, changes.length));
  return met ?? { kind: 'sent', answers: answers.slice(changes.length) };
}

async function firstFault(
  nodes: readonly Node[],
  work: (node: Node) => Promise<Fault | undefined>,
): Promise<Fault | undefined> {
  const met = await eachAtMost(nodes, work);
  return met.find((one) => one !== undefined);
}
