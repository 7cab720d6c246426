/**
 * Credentials in URIs (RFC 3986): `scheme://user:password@host:port/path?query`, also with `jdbc:` in front, and with user and password
 * as query parameters. Where clients disagree about an unencoded character, the value is refused with a sentence that says what to encode.
 */
import type { Endpoint } from '../contract/rotator.ts';
import { type Address, parseHostPort, parsePort } from './address.ts';
import { readingOfPairs } from './ado-net.ts';
import { publicOptions } from './options.ts';
import { readPairs } from './pairs.ts';
import {
  type Encoded,
  encoded,
  malformed,
  noPassword,
  type Reading,
  type Slot,
  settle,
  type Unreadable,
  unencodable,
} from './reading.ts';

const head = /^\s*(jdbc:)?([a-z][a-z0-9+.-]{0,30}(?::[a-z0-9+.-]{0,30})?):\/\//i;

/** A scheme with `://`, or anything that starts with `jdbc:`. */
export function looksLikeUri(text: string): boolean {
  return /^\s*(?:jdbc:|[a-z][a-z0-9+.-]{0,30}:\/\/)/i.test(text);
}

interface Layout {
  /** Lower case, without `jdbc:`. */
  readonly scheme: string;
  readonly jdbc: boolean;
  readonly text: string;
  readonly authority: number;
  readonly path: number;
  readonly query: number;
  readonly end: number;
}

function layoutOf(text: string): Layout | Unreadable {
  const match = head.exec(text);
  if (match === null) return malformed('it is no URI with "://"');
  const [start, jdbc, scheme = ''] = match;
  if (jdbc === undefined && scheme.includes(':')) return malformed('it is no URI with "://"');
  const authority = start.length;
  const end = text.trimEnd().length;
  const path = authority + text.slice(authority, end).search(/[/?#]|$/);
  const mark = text.slice(path, end).search(/[?#]|$/);
  return { scheme: scheme.toLowerCase(), jdbc: jdbc !== undefined, text, authority, path, query: path + mark, end };
}

/** Percent-decoding that refuses what clients would read in different ways. */
function decode(text: string, plusIsBlank: boolean): string | undefined {
  const spaced = plusIsBlank ? text.replaceAll('+', ' ') : text;
  try {
    return decodeURIComponent(spaced);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** Everything but the unreserved characters of RFC 3986 is encoded, so that no client can take it for something else. */
function encodeStrictly(next: string): Encoded {
  if (!next.isWellFormed()) return unencodable('a URI cannot hold half of a surrogate pair');
  return encoded(
    encodeURIComponent(next).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
  );
}

function slotAt(layout: Layout, start: number, end: number, plusIsBlank: boolean): Slot | undefined {
  const value = decode(layout.text.slice(start, end), plusIsBlank);
  return value === undefined ? undefined : { start, end, value, encode: encodeStrictly };
}

interface Parameter {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

function parametersOf(layout: Layout): readonly Parameter[] {
  const parameters: Parameter[] = [];
  for (let from = layout.query + 1; from < layout.end; ) {
    const ampersand = layout.text.indexOf('&', from);
    const end = ampersand < 0 ? layout.end : Math.min(ampersand, layout.end);
    const parameter = layout.text.slice(from, end);
    const equals = parameter.indexOf('=');
    if (equals > 0) {
      const name = parameter.slice(0, equals);
      parameters.push({ key: (decode(name, false) ?? name).toLowerCase(), start: from + equals + 1, end });
    }
    from = end + 1;
  }
  return parameters;
}

const unencodedCharacters =
  'the host or port of the URI cannot be read; write the characters / ? # @ of a credential as %2F %3F %23 %40';

const userParameters = new Set(['user', 'username']);
const passwordParameters = new Set(['password', 'pwd']);

interface Found {
  readonly passwords: readonly Slot[];
  readonly usernames: readonly Slot[];
  /** Of the hosts, behind the userinfo. */
  readonly hosts: number;
  readonly parameters: readonly Parameter[];
}

function findCredential(layout: Layout): Found | Unreadable {
  const { text, authority, path } = layout;
  const at = text.slice(authority, path).indexOf('@');
  if (at !== text.slice(authority, path).lastIndexOf('@')) {
    return malformed('the URI holds more than one "@" before its host; write %40 for the one in the credential');
  }
  const parameters = parametersOf(layout);
  const passwords: (Slot | undefined)[] = [];
  const usernames: (Slot | undefined)[] = [];
  if (at >= 0) {
    const colon = text.slice(authority, authority + at).indexOf(':');
    usernames.push(slotAt(layout, authority, authority + (colon < 0 ? at : colon), false));
    if (colon >= 0) passwords.push(slotAt(layout, authority + colon + 1, authority + at, false));
  }
  for (const { key, start, end } of parameters) {
    if (userParameters.has(key)) usernames.push(slotAt(layout, start, end, layout.jdbc));
    if (passwordParameters.has(key)) passwords.push(slotAt(layout, start, end, layout.jdbc));
  }
  if (passwords.length === 0) {
    // A slash or question mark in the credential ended the authority too early. In web addresses an "@" is common in the path.
    const cut = !/^https?$/.test(layout.scheme) && text.slice(path, layout.end).includes('@');
    return cut ? malformed(unencodedCharacters) : noPassword('the URI holds no password');
  }
  const readable = { passwords: passwords.filter(isSlot), usernames: usernames.filter(isSlot) };
  if (readable.passwords.length < passwords.length || readable.usernames.length < usernames.length) {
    return malformed('a "%" in the credential of the URI starts no UTF-8 character; write %25 for a percent sign');
  }
  return { ...readable, hosts: authority + at + 1, parameters };
}

function isSlot(slot: Slot | undefined): slot is Slot {
  return slot !== undefined;
}

/** Undefined when one of the addresses cannot be made out. */
function addressesOf(list: string): readonly Address[] | undefined {
  const addresses: Address[] = [];
  for (const item of list.split(',')) {
    const address = parseHostPort(decode(item, false) ?? item);
    if (address === undefined) return undefined;
    addresses.push(address);
  }
  return addresses;
}

function databaseOf(layout: Layout): string | undefined {
  // The path of a web address is no database, and it may be a secret.
  if (/^https?$/.test(layout.scheme)) return undefined;
  const path = layout.text.slice(layout.path + 1, layout.query);
  return path === '' || path.includes('/') ? undefined : (decode(path, false) ?? path);
}

function endpointOf(layout: Layout, found: Found): Endpoint | undefined | Unreadable {
  const shown = new Map<string, string>();
  for (const { key, start, end } of found.parameters) {
    if (userParameters.has(key) || passwordParameters.has(key)) continue;
    const raw = layout.text.slice(start, end);
    shown.set(key, decode(raw, layout.jdbc) ?? raw);
  }
  const list = layout.text.slice(found.hosts, layout.path) || shown.get('host') || shown.get('hostaddr') || '';
  const addresses = addressesOf(list);
  const portText = shown.get('port')?.split(',')[0];
  const portParameter = portText === undefined ? undefined : parsePort(portText);
  if (addresses === undefined || (portText !== undefined && portParameter === undefined)) {
    return malformed(unencodedCharacters);
  }
  const [first] = addresses;
  if (first === undefined || first.host === '') return undefined;
  const database = databaseOf(layout) ?? shown.get('dbname') ?? shown.get('database');
  const port = first.port ?? portParameter;
  for (const name of ['host', 'port', 'dbname', 'database']) shown.delete(name);
  return {
    host: first.host,
    ...(port === undefined ? {} : { port }),
    ...(database ? { database } : {}),
    options: {
      ...publicOptions(shown, found.passwords[0]?.value ?? ''),
      ...(addresses.length > 1 ? { hosts: list.toLowerCase() } : {}),
      scheme: layout.scheme,
    },
  };
}

/** JDBC and Prisma write the properties of SQL Server behind semicolons, go-mssqldb writes a URI like any other. */
function hasProperties(layout: Layout): boolean {
  if (layout.scheme !== 'sqlserver') return false;
  const authority = layout.text.slice(layout.authority, layout.path);
  return layout.jdbc || (authority.includes(';') && !authority.slice(0, authority.indexOf(';')).includes('@'));
}

/** `jdbc:sqlserver://host\instance:port;property=value;…`, whose values are quoted by braces. */
function readSqlServerJdbc(layout: Layout): Reading | Unreadable {
  const semicolon = layout.text.indexOf(';', layout.authority);
  if (semicolon < 0) return noPassword('the URI holds no password');
  const pairs = readPairs(layout.text, 'odbc', semicolon);
  if ('kind' in pairs) return pairs;
  return readingOfPairs(pairs, layout.text.slice(layout.authority, semicolon));
}

export function readUri(text: string): Reading | Unreadable {
  const layout = layoutOf(text);
  if ('kind' in layout) return layout;
  if (hasProperties(layout)) return readSqlServerJdbc(layout);
  const found = findCredential(layout);
  if ('kind' in found) return found;
  // Some clients cut the URI there, some take it as it is.
  if (text.includes('#')) return malformed('the URI holds an unencoded "#"; write %23');
  const endpoint = endpointOf(layout, found);
  if (endpoint !== undefined && 'kind' in endpoint) return endpoint;
  return settle({ passwords: found.passwords, usernames: found.usernames, endpoint });
}
