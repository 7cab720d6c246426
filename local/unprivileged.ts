/** Servers that refuse to run as root are run as the account that owns nothing. */
import { chown } from 'node:fs/promises';

const unprivileged = { uid: 65_534, gid: 65_534 } as const;
const isRoot = process.getuid?.() === 0;

/** The command as the unprivileged account when this process is root's, and as it is otherwise. */
export function asUnprivileged(command: string, args: readonly string[]): { command: string; args: readonly string[] } {
  if (!isRoot) return { command, args };
  const { uid, gid } = unprivileged;
  return { command: 'setpriv', args: [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', command, ...args] };
}

/** Gives the paths to that account. */
export async function own(...paths: readonly string[]): Promise<void> {
  if (!isRoot) return;
  for (const path of paths) await chown(path, unprivileged.uid, unprivileged.gid);
}
