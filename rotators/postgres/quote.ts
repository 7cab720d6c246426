/** Writing names and texts into statements that take no parameters (CREATE ROLE, ALTER ROLE, DO). */
import { Bug } from '../../shared/errors.ts';

/** Longest name a server built with the usual NAMEDATALEN keeps, in bytes of UTF-8. Longer ones are cut silently, so they are refused. */
export const longestName = 63;

/** What is wrong with a name, as the end of a sentence; undefined when it is legal. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.includes('\0')) return 'contains a NUL character';
  if (!name.isWellFormed()) return 'is not valid Unicode';
  const bytes = Buffer.byteLength(name);
  return bytes > longestName ? `is ${bytes} bytes long, and Postgres keeps ${longestName}` : undefined;
}

/** `"name"`. Inside double quotes only the double quote is special. */
export function quoteName(name: string): string {
  const fault = nameFault(name);
  if (fault !== undefined) throw new Bug(`the name of a login ${fault}`);
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * `'text'`. A backslash is plain or special depending on `standard_conforming_strings`, so a text that has one is written in the form
 * `E'…'`, which means the same under either setting.
 */
export function quoteText(text: string): string {
  if (text.includes('\0')) throw new Bug('a text for Postgres contains a NUL character');
  const doubled = text.replaceAll("'", "''");
  return text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}
