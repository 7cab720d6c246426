/** Connection strings of ADO.NET (SqlClient, Npgsql, MySqlConnector, MySql.Data), ODBC, and Azure services, which share one grammar. */
import type { Endpoint } from '../contract/rotator.ts';
import { type Address, parsePort, parseServers, placesOf } from './address.ts';
import { readEntityFramework } from './entity-framework.ts';
import { publicOptions } from './options.ts';
import { isAzureService, isOdbc, keysSeen, type Role, roleOf } from './pair-keys.ts';
import { type Pair, readPairs } from './pairs.ts';
import { type Looks, malformed, type Reading, settle, type Unreadable } from './reading.ts';

const keysOf = (pairs: readonly Pair[]): ReadonlySet<string> => new Set(pairs.map((pair) => pair.key));

/**
 * The pairs in the dialect the text is written in. The stricter grammar of ADO.NET goes first: what stands in its quotes must not be
 * taken for a key of another dialect.
 */
function readInDialect(text: string): readonly Pair[] | Unreadable {
  const pairs = readPairs(text, 'ado-net');
  if ('kind' in pairs) {
    const odbc = readPairs(text, 'odbc');
    return !('kind' in odbc) && isOdbc(keysOf(odbc)) ? odbc : pairs;
  }
  if (isAzureService(keysOf(pairs))) return readPairs(text, 'azure');
  return isOdbc(keysOf(pairs)) ? readPairs(text, 'odbc') : pairs;
}

/** What is wrong with pairs that can be read: a text in front of them would hide what it says. */
function wrongWith(pairs: readonly Pair[]): string | undefined {
  if (pairs.some((pair) => /[:"'<>{}()]/.test(pair.key)))
    return 'a key of the connection string has other text in front';
  const nested = pairs.find(
    (pair) =>
      !pair.quoted && /^[a-z _]{2,30}=/i.test(pair.slot.value) && roleOf(pair.key, keysOf(pairs)) !== 'password',
  );
  const inner = nested === undefined ? undefined : nested.slot.value.slice(0, nested.slot.value.indexOf('='));
  const hidden = inner !== undefined && roleOf(inner.toLowerCase().replaceAll(/\s/g, ''), new Set()) !== undefined;
  return hidden ? 'the connection string is assigned to a name; keep what is behind the first "="' : undefined;
}

/** The servers of the pairs; undefined where none is named. */
function serversOf(texts: readonly string[], partners: readonly string[]): readonly Address[] | Unreadable {
  if (new Set(texts).size > 1) return malformed('the connection string names two servers that differ; keep one');
  const addresses: Address[] = [];
  for (const text of [...texts.slice(0, 1), ...partners]) {
    const found = parseServers(text);
    if (found === undefined) return malformed('a server of the connection string cannot be read');
    addresses.push(...found);
  }
  return addresses;
}

function withoutPassword(keys: ReadonlySet<string>): string {
  if (keys.has('sharedaccesssignature')) return 'the connection string holds a SAS, which no other key can replace';
  return `the connection string has no password that is known by its key; it has ${keysSeen(keys)}`;
}

/** The reading of pairs, with a server that was named elsewhere (in front of the properties of a JDBC URL). */
export function readingOfPairs(pairs: readonly Pair[], server = ''): Reading | Unreadable {
  const wrong = wrongWith(pairs);
  if (wrong !== undefined) return malformed(wrong);
  const keys = keysOf(pairs);
  const withRole = (role: Role) => pairs.filter((pair) => roleOf(pair.key, keys) === role);
  const filled = (role: Role) =>
    withRole(role)
      .map((pair) => pair.slot.value)
      .filter((value) => value.trim() !== '');
  const servers = serversOf(server === '' ? filled('host') : [server], filled('partner'));
  if ('kind' in servers) return servers;
  const portText = filled('port').at(-1);
  const port = portText === undefined ? undefined : parsePort(portText);
  if (portText !== undefined && port === undefined) return malformed('the port is no number from 1 to 65535');
  const passwords = withRole('password').map((pair) => pair.slot);
  const options = pairs
    .filter((pair) => roleOf(pair.key, keys) === undefined)
    .map((pair): [string, string] => [pair.key, pair.slot.value]);
  const instance = filled('instance').at(-1) ?? servers[0]?.instance;
  if (instance !== undefined) options.push(['instancename', instance]);
  const endpoint = endpointOf(
    servers,
    port,
    filled('database').at(-1),
    publicOptions(options, passwords[0]?.value ?? ''),
  );
  const usernames = withRole('username').map((pair) => pair.slot);
  return settle({ passwords, usernames, endpoint }, withoutPassword(keys));
}

function endpointOf(
  servers: readonly Address[],
  port: number | undefined,
  database: string | undefined,
  options: Endpoint['options'],
): Endpoint | undefined {
  const [first, ...others] = servers;
  if (first === undefined) return undefined;
  const places = placesOf([first, ...others], port);
  return {
    ...places,
    // A key of its own says the port of a single server, whatever the address says.
    ...(port === undefined || others.length > 0 ? {} : { port }),
    ...(database === undefined ? {} : { database }),
    options,
  };
}

export function readAdoNet(text: string): Reading | Unreadable {
  const model = readEntityFramework(text, readAdoNet);
  if (model !== undefined) return model;
  const pairs = readInDialect(text);
  return 'kind' in pairs ? pairs : readingOfPairs(pairs);
}

/** Two pairs or more; names of keys are as drivers have them. */
export function looksLikePairs(text: string): Looks {
  if (readEntityFramework(text, readAdoNet) !== undefined) return 'with-password';
  const pairs = readInDialect(text);
  if ('kind' in pairs || pairs.length < 2) return 'other';
  const keys = keysOf(pairs);
  if (pairs.some((pair) => roleOf(pair.key, keys) === 'password')) return 'with-password';
  return pairs.every((pair) => /^[a-z][\w .-]{0,60}$/.test(pair.key)) ? 'without-password' : 'other';
}
