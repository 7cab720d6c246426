/** Connection strings of ADO.NET (SqlClient, Npgsql, MySqlConnector), ODBC, and Azure services, which share one grammar. */
import type { Endpoint } from '../contract/rotator.ts';
import { parsePort, parseServer } from './address.ts';
import { publicOptions } from './options.ts';
import { type Pair, readPairs } from './pairs.ts';
import { malformed, noPassword, type Reading, settle, type Unreadable } from './reading.ts';

type Role = 'username' | 'password' | 'host' | 'port' | 'database' | 'instance';

const roles = new Map<string, Role>([
  ['userid', 'username'],
  ['uid', 'username'],
  ['user', 'username'],
  ['username', 'username'],
  // The name of an Azure account or key is what a login is elsewhere: it says whose key stands beside it.
  ['accountname', 'username'],
  ['sharedaccesskeyname', 'username'],
  ['password', 'password'],
  ['pwd', 'password'],
  ['accountkey', 'password'],
  ['sharedaccesskey', 'password'],
  ['accesskey', 'password'],
  ['server', 'host'],
  ['datasource', 'host'],
  ['address', 'host'],
  ['addr', 'host'],
  ['networkaddress', 'host'],
  ['host', 'host'],
  ['hostname', 'host'],
  ['servername', 'host'],
  ['endpoint', 'host'],
  ['accountendpoint', 'host'],
  ['port', 'port'],
  ['portnumber', 'port'],
  ['database', 'database'],
  ['initialcatalog', 'database'],
  ['databasename', 'database'],
  ['instancename', 'instance'],
]);

const azureKeys = ['accountkey', 'sharedaccesskey', 'accesskey'];

/** App Configuration writes `Endpoint=…;Id=…;Secret=…`. */
function isAppConfiguration(keys: ReadonlySet<string>): boolean {
  return keys.has('endpoint') && keys.has('id') && keys.has('secret');
}

function isAzure(pairs: readonly Pair[]): boolean {
  const keys = new Set(pairs.map((pair) => pair.key));
  return azureKeys.some((key) => keys.has(key)) || isAppConfiguration(keys);
}

function isOdbc(text: string, pairs: readonly Pair[]): boolean {
  return pairs.some((pair, index) => pair.key === 'driver' && (index === 0 || text.charAt(pair.slot.start) === '{'));
}

/**
 * The pairs in the dialect the text is written in. The stricter grammar of ADO.NET goes first: what stands in its quotes must not be
 * taken for a key of another dialect.
 */
function readInDialect(text: string): readonly Pair[] | Unreadable {
  const pairs = readPairs(text, 'ado-net');
  if (!('kind' in pairs) && isAzure(pairs)) return readPairs(text, 'azure');
  if ('kind' in pairs || isOdbc(text, pairs)) {
    const odbc = readPairs(text, 'odbc');
    if (!('kind' in odbc) && isOdbc(text, odbc)) return odbc;
  }
  return pairs;
}

function roleOf(key: string, appConfiguration: boolean): Role | undefined {
  if (appConfiguration && key === 'id') return 'username';
  if (appConfiguration && key === 'secret') return 'password';
  return roles.get(key);
}

/** The reading of pairs, with a server that was named elsewhere (in front of the properties of a JDBC URL). */
export function readingOfPairs(pairs: readonly Pair[], server?: string): Reading | Unreadable {
  const appConfiguration = isAppConfiguration(new Set(pairs.map((pair) => pair.key)));
  const withRole = (role: Role) => pairs.filter((pair) => roleOf(pair.key, appConfiguration) === role);
  const passwords = withRole('password').map((pair) => pair.slot);
  if (passwords.length === 0) return noPassword('the connection string has no password');
  const last = (role: Role) => withRole(role).findLast((pair) => pair.slot.value !== '')?.slot.value;
  const hosts = new Set(withRole('host').map((pair) => pair.slot.value));
  if (hosts.size > 1) return malformed('the connection string names two servers that differ; keep one');
  const address = parseServer(server || (last('host') ?? ''));
  const portText = last('port');
  const port = portText === undefined ? address?.port : parsePort(portText);
  if (portText !== undefined && port === undefined) return malformed('the port is no number from 1 to 65535');
  const options = pairs
    .filter((pair) => roleOf(pair.key, appConfiguration) === undefined)
    .map((pair): [string, string] => [pair.key, pair.slot.value]);
  const instance = last('instance') ?? address?.instance;
  if (instance !== undefined) options.push(['instancename', instance]);
  const database = last('database');
  const endpoint: Endpoint | undefined = address && {
    host: address.host,
    ...(port === undefined ? {} : { port }),
    ...(database === undefined ? {} : { database }),
    options: publicOptions(options, passwords[0]?.value ?? ''),
  };
  return settle({ passwords, usernames: withRole('username').map((pair) => pair.slot), endpoint });
}

export function readAdoNet(text: string): Reading | Unreadable {
  const pairs = readInDialect(text);
  return 'kind' in pairs ? pairs : readingOfPairs(pairs);
}

/** Two pairs or more with a password among them. */
export function looksLikeAdoNet(text: string): boolean {
  const pairs = readInDialect(text);
  if ('kind' in pairs) return false;
  const appConfiguration = isAppConfiguration(new Set(pairs.map((pair) => pair.key)));
  return pairs.length > 1 && pairs.some((pair) => roleOf(pair.key, appConfiguration) === 'password');
}
