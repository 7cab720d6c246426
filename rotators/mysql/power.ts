/** What makes a login powerful: whoever gets its password gets the server, or a good part of it. The one table of it. */
import type { Fault } from './fault.ts';
import { type Grant, grantsOf } from './grants.ts';
import { type Account, accountText, parseShownAccount } from './quote.ts';
import { covers } from './rights.ts';
import type { Session } from './session.ts';

/**
 * Rights with which a login can give itself all others, act as another one, or read what the server keeps of everybody's passwords:
 * https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html, https://mariadb.com/kb/en/grant/
 */
const powers = [
  'SUPER ON *.*',
  'CREATE USER ON *.*',
  'FILE ON *.*',
  'SHUTDOWN ON *.*',
  'SYSTEM_USER ON *.*',
  'ROLE_ADMIN ON *.*',
  'SET_USER_ID ON *.*',
  'SET_ANY_DEFINER ON *.*',
  'ALLOW_NONEXISTENT_DEFINER ON *.*',
  'SET USER ON *.*',
  'SYSTEM_VARIABLES_ADMIN ON *.*',
  'PERSIST_RO_VARIABLES_ADMIN ON *.*',
  ...['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER'].flatMap((right) => [
    `${right} ON \`mysql\`.\`user\``,
    `${right} ON \`mysql\`.\`global_priv\``,
  ]),
];

export type Powers = { readonly kind: 'powers'; readonly powers: readonly string[] } | Fault;

/** The powers of an account, those of its roles among them; empty for one that may do what it was given and no more. */
export async function powersOf(session: Session, account: Account): Promise<Powers> {
  const held = await withRoles(session, account);
  if (held.kind === 'fault') return held;
  const rights = held.grants.flatMap((grant) => grant.rights);
  const acting = rights.filter((right) => /^PROXY ON |(GRANT|ADMIN) OPTION$/.test(right));
  return { kind: 'powers', powers: [...powers.filter((power) => covers(held.grants, power)), ...acting] };
}

/** A role may be put in force by whoever has it, so its rights count, and those of its own roles. */
async function withRoles(session: Session, account: Account) {
  const all: Grant[] = [];
  const seen = new Set<string>();
  const open = [account];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(accountText(next))) continue;
    seen.add(accountText(next));
    const held = await grantsOf(session, next);
    if (held.kind === 'fault') return held;
    all.push(...held.grants);
    const names = held.grants.flatMap((grant) => grant.rights).filter((right) => right.startsWith('ROLE '));
    open.push(...names.map((name) => parseShownAccount(name.slice('ROLE '.length))));
  }
  return { kind: 'grants' as const, grants: all };
}
