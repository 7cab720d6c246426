/** Changes passwords of one user on all nodes, in an order in which every moment is safe. */
import type { Credential } from '../../shared/contract/credential.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Fault, fault } from './fault.ts';
import { eachAtMost, type Fleet, type Node } from './fleet.ts';
import { defaultUser, readSecrets, remember, replicatesAs, type Secrets, setPasswords } from './settings.ts';
import { changePasswords, hashOf, readUser, type User } from './users.ts';

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
export type Guard = (node: Node, user: User) => Promise<Fault | undefined>;

/**
 * Adds the candidate on every node, then hands it to the links between nodes that use this login, and only then removes passwords
 * that nobody knows of: what a crashed attempt left behind. `kept` are the ones in use.
 */
export async function addPassword(
  fleet: Fleet,
  candidate: Credential,
  kept: readonly SecretText[],
  guard: Guard,
): Promise<Changed | Fault> {
  const user = userOf(candidate);
  const wanted = hashOf(candidate.password);
  const known = new Set([wanted, ...kept.map(hashOf)]);
  const strangers = new Map<Node, readonly string[]>();
  const added = await onEveryNode(fleet, async (node) => {
    const found = await existing(node, user);
    if (found.kind === 'fault') return found;
    const unsafe = await guard(node, found);
    if (unsafe !== undefined) return unsafe;
    strangers.set(
      node,
      [...found.hashes].filter((hash) => !known.has(hash)),
    );
    const add = found.hashes.has(wanted) ? [] : [wanted];
    return changePasswords(node.connection, user, { add, remove: [] });
  });
  if (added !== undefined) return added;
  const linked = await handToLinks(fleet, user, candidate.password);
  if (linked.kind === 'fault') return linked;
  const removed = await firstFault(fleet.nodes(), (node) =>
    changePasswords(node.connection, user, { add: [], remove: strangers.get(node) ?? [] }),
  );
  return removed ?? rememberAll(fleet, linked.nodes, linked.warnings);
}

/** Replaces all passwords of the user by the candidate, in its settings where the node keeps it there. */
export async function replacePassword(fleet: Fleet, candidate: Credential, guard: Guard): Promise<Changed | Fault> {
  const user = userOf(candidate);
  const settings = new Set<Node>();
  const replaced = await onEveryNode(fleet, async (node) => {
    const secrets = user === defaultUser ? await readSecrets(node) : undefined;
    if (secrets?.kind !== 'secrets' || secrets.requirepass === '') return replaceHashes(node, candidate, guard);
    settings.add(node);
    if (secrets.requirepass === candidate.password.reveal()) return undefined;
    const unsafe = await guard(node, everybody(secrets));
    if (unsafe !== undefined) return unsafe;
    return setPasswords(node, ['requirepass'], candidate.password);
  });
  if (replaced !== undefined) return replaced;
  const linked = await handToLinks(fleet, user, candidate.password);
  if (linked.kind === 'fault') return linked;
  return rememberAll(fleet, new Set([...settings, ...linked.nodes]), linked.warnings);
}

/** Takes one password away from the user on every node. A node or a user that does not have it is fine. */
export async function removePassword(fleet: Fleet, previous: Credential): Promise<Changed | Fault> {
  const user = userOf(previous);
  const hash = hashOf(previous.password);
  const removed = await onEveryNode(fleet, async (node) => {
    const found = await readUser(node.connection, user);
    // Before Redis 6 there was one password for everybody, and it was replaced at apply.
    if (found.kind === 'fault') return found.fault === 'unknown-command' ? undefined : found;
    if (found.kind === 'missing' || !found.hashes.has(hash)) return undefined;
    return changePasswords(node.connection, user, { add: [], remove: [hash] });
  });
  return removed ?? rememberAll(fleet, new Set(), []);
}

// With one password for everybody, whoever has it may do everything.
function everybody(secrets: Secrets): User {
  const hashes = new Set([hashOf(new SecretText(secrets.requirepass))]);
  return { kind: 'user', enabled: true, takesAnyPassword: false, powerful: true, hashes };
}

async function replaceHashes(node: Node, candidate: Credential, guard: Guard): Promise<Fault | undefined> {
  const user = userOf(candidate);
  const wanted = hashOf(candidate.password);
  const found = await existing(node, user);
  if (found.kind === 'fault') return found;
  const unsafe = await guard(node, found);
  if (unsafe !== undefined) return unsafe;
  const add = found.hashes.has(wanted) ? [] : [wanted];
  const remove = [...found.hashes].filter((hash) => hash !== wanted);
  return changePasswords(node.connection, user, { add, remove });
}

async function existing(node: Node, user: string): Promise<User | Fault> {
  const found = await readUser(node.connection, user);
  if (found.kind === 'missing') return fault('missing', node.name, `it has no user ${user}`);
  if (found.kind === 'user' && found.takesAnyPassword) {
    // Giving it a first password would lock out everybody who logs in without one.
    return fault('rejected', node.name, `its user ${user} takes any password (nopass); give it a password first`);
  }
  return found;
}

// A replica that kept the old password would lose its primary at the next reconnect, after the old one is retired.
async function handToLinks(
  fleet: Fleet,
  user: string,
  password: SecretText,
): Promise<
  { readonly kind: 'linked'; readonly nodes: ReadonlySet<Node>; readonly warnings: readonly string[] } | Fault
> {
  const changed = new Set<Node>();
  const unseen: string[] = [];
  const nodes = fleet.nodes();
  const met = await firstFault(nodes, async (node) => {
    const secrets: Secrets | Fault = await readSecrets(node);
    if (secrets.kind === 'fault') {
      if (secrets.fault !== 'forbidden' && secrets.fault !== 'unknown-command') return secrets;
      if (nodes.length > 1) unseen.push(node.name);
      return undefined;
    }
    if (!replicatesAs(secrets, user)) return undefined;
    changed.add(node);
    return secrets.masterauth === password.reveal() ? undefined : setPasswords(node, ['masterauth'], password);
  });
  if (met !== undefined) return met;
  const warning = `Whether ${unseen.join(', ')} replicate as ${user} could not be seen: grant the rotation admin +config|get and +config|set, or set masterauth by hand.`;
  return { kind: 'linked', nodes: changed, warnings: unseen.length === 0 ? [] : [warning] };
}

async function rememberAll(
  fleet: Fleet,
  settingsChanged: ReadonlySet<Node>,
  warnings: readonly string[],
): Promise<Changed | Fault> {
  const answers = await eachAtMost(fleet.nodes(), (node) => remember(node, settingsChanged.has(node)));
  const forgetful: string[] = [];
  for (const answer of answers) {
    if (answer.kind === 'fault') return answer;
    if (answer.kind === 'forgetful') forgetful.push(`${answer.node} (${answer.why})`);
  }
  if (forgetful.length === 0) return { kind: 'changed', warnings };
  const warning = `The change is forgotten when ${forgetful.join(', ')} restart: start them with an aclfile or a configuration file, or grant the rotation admin +acl|save and +config|rewrite.`;
  return { kind: 'changed', warnings: [...warnings, warning] };
}

/** Runs `work` once on each node, also on those that join meanwhile. The seed's turn comes after all others. */
async function onEveryNode(fleet: Fleet, work: (node: Node) => Promise<Fault | undefined>): Promise<Fault | undefined> {
  const done = new Set<Node>();
  for (let round = 0; round < mostRounds; round++) {
    const open = fleet.nodes().filter((node) => !done.has(node));
    if (open.length === 0) return undefined;
    const met = (await firstFault(open.slice(0, -1), work)) ?? (await firstFault(open.slice(-1), work));
    if (met !== undefined) return met;
    for (const node of open) done.add(node);
    const grown = await fleet.grow();
    if (typeof grown !== 'number') return grown;
  }
  return fault(
    'busy',
    fleet
      .nodes()
      .map((node) => node.name)
      .join(', '),
    'nodes keep joining',
  );
}

async function firstFault(
  nodes: readonly Node[],
  work: (node: Node) => Promise<Fault | undefined>,
): Promise<Fault | undefined> {
  const met = await eachAtMost(nodes, work);
  return met.find((one) => one !== undefined);
}
