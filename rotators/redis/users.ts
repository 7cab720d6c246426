/**
 * Users and their passwords on one node, by access control lists: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
 * Passwords travel as SHA-256 only (`#hash` adds, `!hash` removes), so that neither the server, its monitor nor its log ever gets one.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { nodeName, type RedisConnection } from './connection.ts';
import { type Fault, fault } from './fault.ts';

export interface User {
  readonly kind: 'user';
  readonly enabled: boolean;
  /** It is let in with any password at all. */
  readonly takesAnyPassword: boolean;
  /** It may change users, and so give itself everything. */
  readonly powerful: boolean;
  /** SHA-256 of each password, lower-case hex. */
  readonly hashes: ReadonlySet<string>;
}

const userReply = z.array(z.unknown()).transform((reply) => new Map(pairsOf(reply)));
const words = z.array(z.string());

export function hashOf(password: SecretText): string {
  return createHash('sha256').update(password.reveal(), 'utf8').digest('hex');
}

/** What the node knows of a user. `missing`: it has no such user. */
export async function readUser(
  connection: RedisConnection,
  name: string,
): Promise<User | { readonly kind: 'missing' } | Fault> {
  const answer = await connection.call('ACL', 'GETUSER', name);
  if (answer.kind === 'fault') return answer;
  if (answer.value === null) return { kind: 'missing' };
  const fields = userReply.safeParse(answer.value);
  const flags = words.safeParse(fields.data?.get('flags'));
  const hashes = words.safeParse(fields.data?.get('passwords'));
  if (!flags.success || !hashes.success) {
    return fault('rejected', nodeName(connection.address), 'its answer to ACL GETUSER could not be read');
  }
  return {
    kind: 'user',
    enabled: flags.data.includes('on'),
    powerful: mayChangeUsers(String(fields.data?.get('commands') ?? '')),
    takesAnyPassword: flags.data.includes('nopass'),
    hashes: new Set(hashes.data),
  };
}

// Rules are read from left to right, and the last one that says something about the command counts.
function mayChangeUsers(commands: string): boolean {
  const rule = /^[+-](@all|@admin|@dangerous|@slow|acl|acl\|setuser)$/;
  return (
    commands
      .split(' ')
      .findLast((one) => rule.test(one))
      ?.startsWith('+') ?? false
  );
}

/** Adds and removes passwords in one command: the user is never seen in between. Nothing to change sends nothing. */
export async function changePasswords(
  connection: RedisConnection,
  name: string,
  change: { readonly add: readonly string[]; readonly remove: readonly string[] },
): Promise<Fault | undefined> {
  const rules = [...change.add.map((hash) => `#${hash}`), ...change.remove.map((hash) => `!${hash}`)];
  if (rules.length === 0) return undefined;
  const answer = await connection.call('ACL', 'SETUSER', name, ...rules);
  if (answer.kind === 'reply') return undefined;
  // Somebody removed it between our look and our write; the next attempt looks again.
  if (/trying to remove .* does not exist/.test(answer.detail)) return { ...answer, fault: 'busy' };
  return answer;
}

function pairsOf(reply: readonly unknown[]): [string, unknown][] {
  return reply.flatMap((field, index): [string, unknown][] =>
    index % 2 === 0 && typeof field === 'string' ? [[field, reply[index + 1]]] : [],
  );
}
