/** How a node is made to keep its users, and its settings where one was changed, beyond its next start. */
import type { Command } from './connection.ts';
import type { Fault } from './fault.ts';
import { eachAtMost, type Fleet, type Node } from './fleet.ts';

export type Kept =
  | { readonly kind: 'kept' }
  /** It has no file to write to: what changed works until the node is started again. */
  | { readonly kind: 'forgetful'; readonly node: string };

/** What cannot be kept, and where: `''` stands for a node that keeps everything. */
export function lackOf({ view, state }: Node): 'users' | 'settings' | '' {
  if (view.hasConfigFile) return '';
  const hasAclFile = state?.aclFile.kind === 'file' && state.aclFile.path !== '';
  return hasAclFile ? 'settings' : 'users';
}

/**
 * ACL SAVE where the node has an ACL file, CONFIG REWRITE where it keeps its users among its settings, both where a setting was changed
 * too. Never ACL LOAD, which disconnects clients. A node that has a file and cannot write it is a fault: it would come back with what it
 * had before.
 */
async function keepOn(node: Node, settingsChanged: boolean): Promise<Kept | Fault> {
  const { connection, view, state } = node;
  const usersInFile = state?.aclFile.kind === 'file' ? state.aclFile.path !== '' : undefined;
  const rewrite: Command = ['CONFIG', 'REWRITE'];
  if (usersInFile !== false) {
    const [saved, rewritten] = await connection.calls([
      ['ACL', 'SAVE'],
      ...(usersInFile === true && settingsChanged && view.hasConfigFile ? [rewrite] : []),
    ]);
    const without = saved?.kind === 'fault' && isWithout(saved);
    if (saved?.kind === 'fault' && !without) return unkept(saved);
    if (rewritten?.kind === 'fault') return unkept(rewritten);
    if (!without && (!settingsChanged || rewritten !== undefined)) return { kind: 'kept' };
  }
  if (!view.hasConfigFile) return { kind: 'forgetful', node: node.name };
  const rewritten = await connection.call(...rewrite);
  return rewritten.kind === 'fault' ? unkept(rewritten) : { kind: 'kept' };
}

// Before Redis 6 there were no users to keep, only settings.
function isWithout(met: Fault): boolean {
  return /not configured to use an ACL file/.test(met.detail) || met.fault === 'unknown-command';
}

function unkept(met: Fault): Fault {
  if (met.fault !== 'rejected') return met;
  return { ...met, detail: `${met.command ?? 'a save'} failed, so a restart would undo the change: ${met.detail}` };
}

/** Makes every node keep what changed. `settingsChanged`: those whose settings were changed too. Gives a warning where there is no file. */
export async function keepAll(
  fleet: Fleet,
  settingsChanged: ReadonlySet<Node> = new Set(),
): Promise<{ readonly kind: 'kept'; readonly warnings: readonly string[] } | Fault> {
  const answers = await eachAtMost(fleet.nodes(), (node) => keepOn(node, settingsChanged.has(node)));
  const met = answers.find((answer) => answer.kind === 'fault');
  if (met !== undefined) return met;
  const forgetful = answers.flatMap((answer) => (answer.kind === 'forgetful' ? [answer.node] : []));
  if (forgetful.length === 0) return { kind: 'kept', warnings: [] };
  const names = forgetful.join(', ');
  return {
    kind: 'kept',
    warnings: [
      `The change is forgotten when ${names} ${forgetful.length === 1 ? 'restarts' : 'restart'}: start ${forgetful.length === 1 ? 'it' : 'them'} with an aclfile or a configuration file.`,
    ],
  };
}
