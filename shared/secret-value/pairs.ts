/**
 * Strings of `key=value` pairs parted by semicolons, in four dialects.
 *
 * `ado-net`: .NET's DbConnectionOptions (values in `"` or `'`, doubled inside; `==` is an equals sign within a key). `odbc`: values in
 * braces, `}}` for a closing one; JDBC for SQL Server writes the same. `azure`: connection strings of Azure services, which are split at
 * semicolons and the first equals sign, with no quoting at all.
 */
import { isBlank, skipBlanks, trimSpan } from './blank.ts';
import { normalizedKey } from './pair-keys.ts';
import { type Encoded, encoded, malformed, type Slot, type Unreadable, unencodable } from './reading.ts';

export type Dialect = 'ado-net' | 'odbc' | 'azure';

export interface Pair {
  /** Lower case, without blanks: `User ID` is `userid`. */
  readonly key: string;
  readonly slot: Slot;
  readonly quoted: boolean;
}

// The loops below test each character once, so that a long value costs no more than its length.
const control = /\p{Cc}/u;

interface Span {
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

function closingQuote(dialect: Dialect, opening: string): string {
  if (dialect === 'ado-net' && (opening === '"' || opening === "'")) return opening;
  return dialect === 'odbc' && opening === '{' ? '}' : '';
}

function readQuoted(text: string, start: number, quote: string): Span | Unreadable {
  let at = start + 1;
  for (; ; at++) {
    const close = text.indexOf(quote, at);
    if (close < 0) return malformed('a quoted value of the connection string has no closing quote');
    at = close + 1;
    if (text.charAt(at) !== quote) break;
  }
  const inner = text.slice(start + 1, at - 1);
  return { start, end: at, value: inner.replaceAll(quote + quote, quote) };
}

function readUnquoted(text: string, start: number, dialect: Dialect): Span | Unreadable {
  const semicolon = text.indexOf(';', start);
  const [, end] = trimSpan(text, start, semicolon < 0 ? text.length : semicolon);
  const value = text.slice(start, end);
  for (const character of value) {
    if (control.test(character) && !isBlank(character)) {
      return malformed('an unquoted value of the connection string holds a control character');
    }
  }
  if (dialect === 'ado-net' && /["']$/.test(value)) {
    return malformed('an unquoted value of the connection string ends in a quote');
  }
  return { start, end, value };
}

/** Reads the key that starts at `from`; `end` is the place of its equals sign. */
function readKey(text: string, from: number, dialect: Dialect): { key: string; end: number } | Unreadable {
  let at = from;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === ';') break;
    if (character !== '=') continue;
    if (dialect !== 'ado-net' || text.charAt(at + 1) !== '=') break;
    at++;
  }
  const [start, end] = trimSpan(text, from, Math.min(at, text.length));
  if (text.charAt(at) !== '=' || start === end)
    return malformed('a part of the connection string is no key=value pair');
  const name = dialect === 'ado-net' ? text.slice(start, end).replaceAll('==', '=') : text.slice(start, end);
  return { key: normalizedKey(name), end: at };
}

/** All pairs in their order, or what is wrong. Positions count from the beginning of `text`, reading starts at `from`. */
export function readPairs(text: string, dialect: Dialect, from = 0): readonly Pair[] | Unreadable {
  const pairs: Pair[] = [];
  for (let at = from; ; ) {
    while (at < text.length && (text.charAt(at) === ';' || isBlank(text.charAt(at)))) at++;
    if (at >= text.length) return pairs;
    const key = readKey(text, at, dialect);
    if ('kind' in key) return key;
    const start = skipBlanks(text, key.end + 1);
    const quote = closingQuote(dialect, text.charAt(start));
    const span = quote === '' ? readUnquoted(text, start, dialect) : readQuoted(text, start, quote);
    if ('kind' in span) return span;
    at = skipBlanks(text, span.end);
    if (at < text.length && text.charAt(at) !== ';') {
      return malformed('something other than a semicolon follows a quoted value of the connection string');
    }
    const slot = { ...span, encode: (next: string) => encodeValue(next, dialect, quote) };
    pairs.push({ key: key.key, slot, quoted: quote !== '' });
  }
}

function encodeValue(next: string, dialect: Dialect, quote: string): Encoded {
  if (next.includes('\0')) return unencodable('a connection string cannot hold a NUL character');
  switch (dialect) {
    case 'ado-net':
      return encoded(encodeAdoNet(next, quote));
    case 'odbc':
      if (quote === '' && !/[[\]{}(),;?*=!@\s\u0085\p{Cc}]/u.test(next)) return encoded(next);
      return encoded(`{${next.replaceAll('}', '}}')}}`);
    case 'azure':
      if (!/[;\s\u0085\p{Cc}]/u.test(next)) return encoded(next);
      return unencodable(
        'the connection string of an Azure service cannot hold semicolons, blanks or control characters',
      );
  }
}

function encodeAdoNet(next: string, quote: string): string {
  if (quote !== '') return quote + next.replaceAll(quote, quote + quote) + quote;
  // An equals sign in front would make "==" of the one behind the key. Inside, as at the end of base64, it is harmless.
  if (!/^=|["';\s\u0085\ufeff\p{Cc}]/u.test(next)) return next;
  const mark = next.includes('"') && !next.includes("'") ? "'" : '"';
  return mark + next.replaceAll(mark, mark + mark) + mark;
}
