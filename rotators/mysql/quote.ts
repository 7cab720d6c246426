/**
 * Text in statements. It is quoted for the SQL mode that every session of ours sets for itself, never for the server's own: with
 * NO_BACKSLASH_ESCAPES or ANSI_QUOTES the same text would mean something else.
 */

/** Without NO_BACKSLASH_ESCAPES and ANSI_QUOTES, and strict, so that nothing is cut short silently. */
export const sessionMode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION';

export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;
}

/** For a statement that is sent before a session has set its SQL mode. */
export function literalInAnyMode(text: string): string {
  return `_utf8mb4 x'${Buffer.from(text, 'utf8').toString('hex')}'`;
}

export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A login as these servers know it: a name together with the hosts it may come from. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

/** The account in a statement. A role of MariaDB has no host. */
export function accountText(account: Account): string {
  if (account.host === '') return identifier(account.user);
  return `${literal(account.user)}@${literal(account.host)}`;
}

/** Reads an account as the server writes it itself; a role of MariaDB has no host. */
export function parseShownAccount(text: string): Account {
  const [, user = '', host = ''] = /^`((?:[^`]|``)*)`(?:@`((?:[^`]|``)*)`)?/.exec(text) ?? [];
  return { user: user.replaceAll('``', '`'), host: host.replaceAll('``', '`') };
}

/** The account as the server writes it itself in SHOW GRANTS. */
export function shownAccount(account: Account): string {
  // MariaDB writes a role without a host.
  if (account.host === '') return identifier(account.user);
  return `${identifier(account.user)}@${identifier(account.host)}`;
}

/** The account for people. */
export function accountName(account: Account): string {
  return `${account.user}@${account.host}`;
}

/** Reads CURRENT_USER(): a host part never holds an `@`, a name may. */
export function parseAccount(text: string): Account {
  const at = text.lastIndexOf('@');
  return at < 0 ? { user: text, host: '' } : { user: text.slice(0, at), host: text.slice(at + 1) };
}

export function sameAccount(one: Account, other: Account): boolean {
  return one.user === other.user && one.host.toLowerCase() === other.host.toLowerCase();
}
