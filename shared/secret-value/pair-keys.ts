/**
 * What the keys of `key=value;` strings mean: the alias tables of SqlClient, Npgsql, MySqlConnector, MySql.Data, of ODBC drivers, of JDBC
 * for SQL Server and of Azure services, in lower case and without blanks. The builders of .NET are held against them in test/dotnet.
 */

export type Role = 'username' | 'password' | 'host' | 'partner' | 'port' | 'database' | 'instance';

const names: Readonly<Record<Role, readonly string[]>> = {
  // The name of an Azure account or key is what a login is elsewhere: it says whose key stands beside it.
  username: ['userid', 'uid', 'user', 'username', 'accountname', 'sharedaccesskeyname'],
  // PSW is Npgsql's, password1 and pwd1 are MySql.Data's: the first of up to three factors, the others are not ours to change.
  password: ['password', 'pwd', 'psw', 'password1', 'pwd1', 'accountkey', 'sharedaccesskey', 'accesskey'],
  host: [
    ...['server', 'datasource', 'address', 'addr', 'networkaddress', 'host', 'hostname', 'servername', 'endpoint'],
    'accountendpoint',
  ],
  partner: ['failoverpartner', 'failover_partner'],
  port: ['port', 'portnumber'],
  database: ['database', 'initialcatalog', 'databasename', 'db'],
  instance: ['instancename'],
};

const roles = new Map<string, Role>(
  (['username', 'password', 'host', 'partner', 'port', 'database', 'instance'] as const).flatMap((role) =>
    names[role].map((name): [string, Role] => [name, role]),
  ),
);

export function normalizedKey(key: string): string {
  return key.toLowerCase().replaceAll(/\s/g, '');
}

/** App Configuration writes `Endpoint=…;Id=…;Secret=…`. */
export function isAppConfiguration(keys: ReadonlySet<string>): boolean {
  return keys.has('endpoint') && keys.has('id') && keys.has('secret');
}

export function isAzureService(keys: ReadonlySet<string>): boolean {
  return ['accountkey', 'sharedaccesskey', 'accesskey'].some((key) => keys.has(key)) || isAppConfiguration(keys);
}

/** Keys that only ODBC knows: with one of them the whole string follows its rules. */
export function isOdbc(keys: ReadonlySet<string>): boolean {
  return keys.has('driver') || keys.has('dsn') || keys.has('filedsn');
}

export function roleOf(key: string, keys: ReadonlySet<string>): Role | undefined {
  if (isAppConfiguration(keys) && key === 'id') return 'username';
  if (isAppConfiguration(keys) && key === 'secret') return 'password';
  return roles.get(key);
}

const otherKeys = new Set([
  ...['driver', 'dsn', 'filedsn', 'provider', 'metadata', 'providerconnectionstring', 'id', 'secret', 'sslpassword'],
  ...['password2', 'password3', 'pwd2', 'pwd3', 'certificatepassword', 'passfile', 'sharedaccesssignature'],
  ...['integratedsecurity', 'trusted_connection', 'trustedconnection', 'authentication', 'persistsecurityinfo'],
  ...['encrypt', 'trustservercertificate', 'sslmode', 'pooling', 'applicationname', 'app', 'timeout', 'connecttimeout'],
  ...['multipleactiveresultsets', 'applicationintent', 'entitypath', 'defaultendpointsprotocol', 'endpointsuffix'],
  ...['blobendpoint', 'queueendpoint', 'tableendpoint', 'fileendpoint', 'instrumentationkey', 'ingestionendpoint'],
]);

// Words for a password that no table has are what people look for in such a message.
const passwordWords = new Set([
  ...['pass', 'passwd', 'passwort', 'passphrase', 'passcode', 'pw', 'pword', 'key', 'apikey', 'secretkey', 'token'],
  ...['userpassword', 'dbpassword', 'databasepassword', 'loginpassword', 'motdepasse', 'senha', 'contrasena'],
]);

/**
 * The keys of a string, for a message. A name that no table has is only counted: it may be a piece of a password. Blanks are not shown,
 * because keys are compared without them.
 */
export function keysSeen(keys: Iterable<string>): string {
  const all = [...new Set(keys)];
  const known = all.filter((key) => roles.has(key) || otherKeys.has(key) || passwordWords.has(key));
  const others = all.length - known.length;
  const told = known.slice(0, 12);
  const rest = others + known.length - told.length;
  if (told.length === 0) return `${rest} keys that no driver is known for`;
  return rest === 0 ? `the keys ${told.join(', ')}` : `the keys ${told.join(', ')} and ${rest} more`;
}
