/** Key/value connection strings of libpq, by the rules of `conninfo_parse` in PostgreSQL's fe-connect.c. */
import type { Endpoint } from '../contract/rotator.ts';
import { type Address, parsePort, placesOf } from './address.ts';
import { publicOptions } from './options.ts';
import {
  type Encoded,
  encoded,
  type Looks,
  malformed,
  type Reading,
  type Slot,
  settle,
  type Unreadable,
  unencodable,
} from './reading.ts';

export interface LibpqPair {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly value: string;
  readonly quoted: boolean;
}

const blank = /[ \t\n\v\f\r]/;

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && blank.test(text.charAt(at))) at++;
  return at;
}

/** Reads one value. A backslash takes the next character as it is, in quotes and outside of them. */
function readValue(text: string, start: number): { readonly end: number; readonly value: string } | undefined {
  const quoted = text.charAt(start) === "'";
  const characters: string[] = [];
  let at = quoted ? start + 1 : start;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    if (quoted ? character === "'" : blank.test(character)) break;
    if (character === '\\') at++;
    characters.push(text.charAt(at));
  }
  if (quoted && at >= text.length) return undefined;
  return { end: Math.min(quoted ? at + 1 : at, text.length), value: characters.join('') };
}

/** All pairs in their order, or what is wrong. */
export function readLibpqPairs(text: string): readonly LibpqPair[] | Unreadable {
  const pairs: LibpqPair[] = [];
  for (let at = skipBlanks(text, 0); at < text.length; at = skipBlanks(text, at)) {
    const keyStart = at;
    while (at < text.length && text.charAt(at) !== '=' && !blank.test(text.charAt(at))) at++;
    const key = text.slice(keyStart, at);
    at = skipBlanks(text, at);
    if (key === '' || text.charAt(at) !== '=') return malformed('a keyword of the libpq string lacks its "="');
    const start = skipBlanks(text, at + 1);
    const value = readValue(text, start);
    if (value === undefined) return malformed('a quoted value of the libpq string has no closing quote');
    pairs.push({ key, start, end: value.end, value: value.value, quoted: text.charAt(start) === "'" });
    at = value.end;
  }
  return pairs;
}

function encodeLibpq(next: string, quoted: boolean): Encoded {
  if (next.includes('\0')) return unencodable('a libpq string cannot hold a NUL character');
  if (!quoted && next !== '' && !/[ \t\n\v\f\r'\\]/.test(next)) return encoded(next);
  return encoded(`'${next.replaceAll(/['\\]/g, '\\$&')}'`);
}

const connectionKeys = new Set(['user', 'password', 'host', 'hostaddr', 'port', 'dbname']);

/** A list of hosts has one port for all, or one each; `hostaddr` is the address of `host`, whose name TLS checks. */
function addressesOf(last: (key: string) => string | undefined): readonly Address[] | Unreadable {
  const names = (last('host') || last('hostaddr') || '').split(',');
  const ports = (last('port') ?? '').split(',');
  const addresses: Address[] = [];
  for (const [index, name] of names.entries()) {
    const text = ports.length === 1 ? ports[0] : ports[index];
    const port = text ? parsePort(text) : undefined;
    if (text && port === undefined) return malformed('the port of the libpq string is no number from 1 to 65535');
    if (name === '') continue;
    const host = name.startsWith('/') ? name : name.toLowerCase();
    addresses.push({ host, ...(port === undefined ? {} : { port }) });
  }
  return addresses;
}

function endpointOf(pairs: readonly LibpqPair[], password: string): Endpoint | undefined | Unreadable {
  const last = (key: string) => pairs.findLast((pair) => pair.key === key)?.value;
  const addresses = addressesOf(last);
  if ('kind' in addresses) return addresses;
  const database = last('dbname');
  // libpq takes a dbname with "=" or a scheme for a whole connection string, which may hold another password.
  if (database !== undefined && /=|:\/\//.test(database)) {
    return malformed('the dbname of the libpq string is itself a connection string');
  }
  const [first, ...more] = addresses;
  if (first === undefined) return undefined;
  const others = pairs.filter((pair) => !connectionKeys.has(pair.key));
  const hostaddr = last('host') ? last('hostaddr') : undefined;
  const extra: [string, string][] = hostaddr ? [['hostaddr', hostaddr]] : [];
  return {
    ...placesOf([first, ...more]),
    ...(database ? { database } : {}),
    options: publicOptions([...others.map((pair): [string, string] => [pair.key, pair.value]), ...extra], password),
  };
}

export function readLibpq(text: string): Reading | Unreadable {
  const pairs = readLibpqPairs(text);
  if ('kind' in pairs) return pairs;
  const slots = (key: string): Slot[] =>
    pairs
      .filter((pair) => pair.key === key)
      .map(({ start, end, value, quoted }) => ({ start, end, value, encode: (next) => encodeLibpq(next, quoted) }));
  const passwords = slots('password');
  const endpoint = endpointOf(pairs, passwords[0]?.value ?? '');
  if (endpoint !== undefined && 'kind' in endpoint) return endpoint;
  return settle({ passwords, usernames: slots('user'), endpoint }, 'the libpq string has no password ("password")');
}

const keywords = new Set([
  ...connectionKeys,
  'passfile',
  'channel_binding',
  'connect_timeout',
  'client_encoding',
  'options',
  'application_name',
  'fallback_application_name',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'replication',
  'gssencmode',
  'sslmode',
  'requiressl',
  'sslnegotiation',
  'sslcompression',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslcertmode',
  'sslrootcert',
  'sslcrl',
  'sslcrldir',
  'sslsni',
  'requirepeer',
  'require_auth',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
  'krbsrvname',
  'gsslib',
  'gssdelegation',
  'service',
  'target_session_attrs',
  'load_balance_hosts',
]);

/** Whether the text is so much like a libpq string that it can hardly be anything else. */
export function looksLikeLibpq(text: string): Looks {
  const pairs = readLibpqPairs(text);
  if ('kind' in pairs || pairs.length < 2 || !pairs.every((pair) => keywords.has(pair.key))) return 'other';
  // "user=u; password=p" is an ADO.NET string with blanks in it.
  if (pairs.slice(0, -1).some((pair) => !pair.quoted && pair.value.endsWith(';'))) return 'other';
  return pairs.some((pair) => pair.key === 'password') ? 'with-password' : 'without-password';
}
