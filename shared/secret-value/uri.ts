/**
 * Credentials in URIs (RFC 3986): `scheme://user:password@host:port/path?query`, also with `jdbc:` in front, and with user and password
 * as query parameters. Where clients disagree about an unencoded character, the value is refused with a sentence that says what to encode.
 */
import type { Endpoint } from '../contract/rotator.ts';
import { type Address, parseHostPort, parsePort, placesOf } from './address.ts';
import { readAdoNet, readingOfPairs } from './ado-net.ts';
import { lift } from './layer.ts';
import { publicOptions } from './options.ts';
import { readPairs } from './pairs.ts';
import { decodePercent, encodeStrictly, percentLayer } from './percent.ts';
import { malformed, type Reading, type Slot, settle, type Unreadable } from './reading.ts';
import { type Layout, layoutOf, type Parameter, parametersOf } from './uri-layout.ts';

function slotAt(layout: Layout, start: number, end: number, plusIsBlank: boolean): Slot | undefined {
  const value = decodePercent(layout.text.slice(start, end), plusIsBlank);
  return value === undefined ? undefined : { start, end, value, encode: encodeStrictly };
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
  const { text, authority, hostsEnd, path } = layout;
  const at = text.slice(authority, hostsEnd).indexOf('@');
  if (at !== text.slice(authority, hostsEnd).lastIndexOf('@')) {
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
  // A slash or question mark in the credential ended the authority too early. In web addresses an "@" is common in the path.
  const cut = !/^https?$/.test(layout.scheme) && text.slice(path, layout.query).includes('@');
  if (passwords.length === 0 && cut) return malformed(unencodedCharacters);
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
    const address = parseHostPort(decodePercent(item, false) ?? item);
    if (address === undefined) return undefined;
    if (address.host !== '') addresses.push(address);
  }
  return addresses;
}

function databaseOf(layout: Layout): string | undefined {
  // The path of a web address is no database, and it may be a secret.
  if (/^https?$/.test(layout.scheme)) return undefined;
  const path = layout.text.slice(layout.path + 1, layout.query);
  return path === '' || path.includes('/') ? undefined : (decodePercent(path, false) ?? path);
}

function endpointOf(layout: Layout, found: Found): Endpoint | undefined | Unreadable {
  const shown = new Map<string, string>();
  for (const { key, start, end } of found.parameters) {
    if (userParameters.has(key) || passwordParameters.has(key)) continue;
    const raw = layout.text.slice(start, end);
    shown.set(key, decodePercent(raw, layout.jdbc) ?? raw);
  }
  const authority = layout.text.slice(found.hosts, layout.hostsEnd);
  const parameter = shown.get('host') ?? '';
  // Clients disagree on which of the two counts.
  const namesOnly = (list: string) => list.toLowerCase().replaceAll(/:\d+(?=,|$)/g, '');
  if (authority !== '' && parameter !== '' && namesOnly(authority) !== namesOnly(parameter)) {
    return malformed('the URI names one host in front of its path and another as a parameter; keep one');
  }
  const addresses = addressesOf(authority || parameter || shown.get('hostaddr') || '');
  const portText = shown.get('port')?.split(',')[0];
  const portParameter = portText === undefined ? undefined : parsePort(portText);
  if (addresses === undefined || (portText !== undefined && portParameter === undefined)) {
    return malformed(unencodedCharacters);
  }
  const [first, ...others] = addresses;
  if (first === undefined) return undefined;
  const database = databaseOf(layout) ?? shown.get('dbname') ?? shown.get('database');
  for (const name of ['host', 'port', 'dbname', 'database']) shown.delete(name);
  // A Sentinel's own port, where none is named.
  const port = portParameter ?? (layout.primary === undefined ? undefined : 26_379);
  return {
    ...placesOf([first, ...others], port),
    ...(database ? { database } : {}),
    options: {
      ...publicOptions(shown, found.passwords[0]?.value ?? ''),
      ...(layout.primary === undefined ? {} : { servicename: layout.primary }),
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
  const found = layout.text.indexOf(';', layout.authority);
  const semicolon = found < 0 ? layout.end : found;
  const pairs = readPairs(layout.text, 'odbc', semicolon);
  if ('kind' in pairs) return pairs;
  return readingOfPairs(pairs, layout.text.slice(layout.authority, semicolon).replace(/\/$/, ''));
}

/** SQLAlchemy takes a whole ODBC string as the parameter `odbc_connect`, which then is all that counts. */
function readOdbcConnect(layout: Layout, found: Found): Reading | Unreadable | undefined {
  const parameter = found.parameters.find(({ key }) => key === 'odbc_connect');
  if (parameter === undefined) return undefined;
  const layer = percentLayer(layout.text, parameter, true);
  if (layer === undefined) return malformed('the ODBC string inside the URI is not encoded as UTF-8');
  const inner = readAdoNet(layer.text);
  if (inner.kind === 'unreadable') return malformed(`the ODBC string inside the URI cannot be read: ${inner.detail}`);
  const lifted = lift(layer, inner);
  const outer = endpointOf(layout, found);
  if (outer !== undefined && 'kind' in outer) return outer;
  if (outer !== undefined && outer.host !== inner.endpoint?.host) {
    return malformed('the URI and the ODBC string inside it name different hosts; keep one');
  }
  const passwords = [...found.passwords, ...lifted.passwords];
  const usernames = [...found.usernames, ...lifted.usernames];
  return settle({ passwords, usernames, endpoint: inner.endpoint }, 'the URI holds no password');
}

export function readUri(text: string): Reading | Unreadable {
  const layout = layoutOf(text);
  if ('kind' in layout) return layout;
  if (hasProperties(layout)) return readSqlServerJdbc(layout);
  const found = findCredential(layout);
  if ('kind' in found) return found;
  const odbc = readOdbcConnect(layout, found);
  if (odbc !== undefined) return odbc;
  // Some clients cut the URI there, some take it as it is.
  if (found.passwords.length > 0 && layout.primary === undefined && text.includes('#')) {
    return malformed('the URI holds an unencoded "#"; write %23');
  }
  const endpoint = endpointOf(layout, found);
  if (endpoint !== undefined && 'kind' in endpoint) return endpoint;
  return settle({ passwords: found.passwords, usernames: found.usernames, endpoint }, 'the URI holds no password');
}
