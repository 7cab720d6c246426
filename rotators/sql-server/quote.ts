/** Writing names and texts into statements that take no parameters (CREATE LOGIN, ALTER LOGIN, GRANT). */
import { Bug } from '../../shared/errors.ts';

/** Longest name (sysname) and longest password, in UTF-16 units. */
export const longestName = 128;
export const longestPassword = 128;

/** What is wrong with the name of a login or user, as the end of a sentence; undefined when it is legal. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.includes('\0')) return 'contains a NUL character';
  if (name.includes('\\')) return 'contains a backslash, which is for Windows accounts';
  if (!name.isWellFormed()) return 'is not valid Unicode';
  return name.length > longestName
    ? `is ${name.length} characters long, and SQL Server takes ${longestName}`
    : undefined;
}

/**
 * `[name]`. Doubled here rather than by QUOTENAME, which gives NULL for more than 128 characters: a statement built with it would be
 * NULL, and running NULL is reported as a success.
 */
export function quoteName(name: string): string {
  if (name === '' || name.includes('\0') || name.length > longestName) throw new Bug('a name that cannot be quoted');
  return `[${name.replaceAll(']', ']]')}]`;
}

/** `N'text'`. Without the N the text would pass through the code page of the database and lose what that does not hold. */
export function quoteText(text: string): string {
  if (text.includes('\0')) throw new Bug('a text for SQL Server contains a NUL character');
  return `N'${doubled(text)}'`;
}

/** The text as it stands inside a literal; a server may quote it so in an error. */
export function doubled(text: string): string {
  return text.replaceAll("'", "''");
}
