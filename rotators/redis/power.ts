/** What makes a user powerful: whoever gets its password gets the server and what others send to it. The one table of it. */
import * as z from 'zod';

/**
 * Commands that change users or settings, load code, or read all that passes: a client that replicates is sent everything, and whoever may
 * announce itself as a replica is sent the passwords of those who look for replicas.
 */
const powers = [
  'acl|setuser',
  'acl|load',
  'config|set',
  'module|load',
  'module|loadex',
  'debug',
  'replicaof',
  'slaveof',
  'psync',
  'sync',
  'monitor',
] as const;

/** All of them belong to these categories and to no other (`ACL CAT`). */
const categories = ['@all', '@admin', '@dangerous', '@slow'];

/** The rules of a selector, `+@all -@admin +config|get`, as ACL GETUSER writes them. */
function mayRun(rules: readonly string[], command: string): boolean {
  const [name = ''] = command.split('|');
  const about = new Set([command, name, ...categories]);
  // Read from left to right, the last rule that says something about the command counts.
  return rules.findLast((rule) => about.has(rule.slice(1)))?.startsWith('+') ?? false;
}

const selectors = z.array(z.array(z.unknown()));

/** The powers of a user, by its fields in ACL GETUSER; empty for one that may use what it was given and no more. */
export function powersIn(fields: ReadonlyMap<string, unknown>): readonly string[] {
  const further = selectors.safeParse(fields.get('selectors')).data ?? [];
  const all = [fields.get('commands'), ...further.map((selector) => selector[selector.indexOf('commands') + 1])];
  const rules = all.map((one) => String(one ?? '').split(' '));
  return powers.filter((command) => rules.some((one) => mayRun(one, command)));
}
