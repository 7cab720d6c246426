/**
 * Users and their passwords on one node, by access control lists: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
 * Passwords travel as SHA-256 only (`#hash` adds, `!hash` removes), so that neither the server, its monitor nor its log ever gets one.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import type { Command, Reply } from './connection.ts';
import { type Fault, fault } from './fault.ts';
import { powersIn } from './power.ts';

export interface User {
  readonly kind: 'user';
  readonly enabled: boolean;
  /** It is let in with any password at all. */
  readonly takesAnyPassword: boolean;
  /** What it may do beyond using what it was given: see power.ts. */
  readonly powers: readonly string[];
  /** SHA-256 of each password, lower-case hex. */
  readonly hashes: ReadonlySet<string>;
}

const userReply = z.array(z.unknown()).transform((reply) => new Map(pairsOf(reply)));
const words = z.array(z.string());

export function hashOf(password: SecretText): string {
  return createHash('sha256').update(password.reveal(), 'utf8').digest('hex');
}

export function userQuestion(name: string): Command {
  return ['ACL', 'GETUSER', name];
}

/** What the node knows of a user, by its answer. `missing`: it has no such user. */
export function userIn(answer: Reply, node: string): User | { readonly kind: 'missing' } | Fault {
  if (answer.kind === 'fault') return answer;
  if (answer.value === null) return { kind: 'missing' };
  const fields = userReply.safeParse(answer.value);
  const flags = words.safeParse(fields.data?.get('flags'));
  const hashes = words.safeParse(fields.data?.get('passwords'));
  if (!fields.success || !flags.success || !hashes.success) {
    return fault('rejected', node, 'its answer to ACL GETUSER could not be read');
  }
  return {
    kind: 'user',
    enabled: flags.data.includes('on'),
    powers: powersIn(fields.data),
    takesAnyPassword: flags.data.includes('nopass'),
    hashes: new Set(hashes.data),
  };
}

/** Adds and removes passwords in one command: the user is never seen in between. Nothing to change is no command. */
export function passwordCommands(
  name: string,
  change: { readonly add: readonly string[]; readonly remove: readonly string[] },
): readonly Command[] {
  const rules = [...change.add.map((hash) => `#${hash}`), ...change.remove.map((hash) => `!${hash}`)];
  return rules.length === 0 ? [] : [['ACL', 'SETUSER', name, ...rules]];
}

/** What went wrong, or undefined. */
export function faultOfChange(answers: readonly Reply[]): Fault | undefined {
  const met = answers.find((answer) => answer.kind === 'fault');
  // Somebody removed it between our look and our write; the next attempt looks again.
  return met !== undefined && /trying to remove .* does not exist/.test(met.detail) ? { ...met, fault: 'busy' } : met;
}

function pairsOf(reply: readonly unknown[]): [string, unknown][] {
  return reply.flatMap((field, index): [string, unknown][] =>
    index % 2 === 0 && typeof field === 'string' ? [[field, reply[index + 1]]] : [],
  );
}
