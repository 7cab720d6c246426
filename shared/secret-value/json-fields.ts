/** What the names of JSON fields mean. Compared in lower case, without `_`, `-`, `.` and blanks: `user_name` is `userName`. */

export type FieldRole = 'password' | 'username' | 'host' | 'port' | 'database' | 'option' | 'connection-string';

// In each row the earlier name wins where only one value can be used (a full host name before a short one).
const names: Readonly<Record<FieldRole, readonly string[]>> = {
  password: [
    ...['password', 'pwd', 'pass', 'passwd', 'passphrase', 'secret', 'secretkey', 'clientsecret', 'sharedsecret'],
    ...['key', 'apikey', 'apisecret', 'accesskey', 'secretaccesskey', 'accountkey', 'sharedaccesskey', 'primarykey'],
    ...['masterkey', 'primarymasterkey', 'subscriptionkey', 'signingkey', 'webhooksecret', 'current'],
    ...['token', 'apitoken', 'accesstoken', 'authtoken', 'bearertoken'],
  ],
  username: [
    ...['username', 'user', 'userid', 'uid', 'login', 'loginname', 'clientid', 'accountname', 'accesskeyid'],
    'sharedaccesskeyname',
  ],
  host: [
    ...['fqdn', 'fullyqualifieddomainname', 'endpoint', 'host', 'hostname', 'server', 'servername', 'datasource'],
    ...['address', 'addr', 'hostaddress', 'serveraddress', 'ipaddress', 'hostport', 'hostandport', 'accountendpoint'],
    ...['hosts', 'servers', 'hostnames', 'addresses', 'endpoints', 'nodes'],
  ],
  port: ['port', 'portnumber'],
  database: ['database', 'databasename', 'dbname', 'db', 'initialcatalog', 'catalog'],
  option: [
    ...['engine', 'sslmode', 'ssl', 'tls', 'encrypt', 'trustservercertificate', 'instancename', 'authsource'],
    ...['replicaset', 'applicationname', 'sslrootcert'],
  ],
  'connection-string': ['connectionstring', 'connstring', 'connstr', 'connection', 'conn', 'url', 'uri', 'dsn'],
};

/** Every name that a field is known by. */
export const fieldNames: readonly string[] = Object.values(names).flat();

const prefixes = /^(?:db|database|postgresql|postgres|pg|mysql|mariadb|mssql|sql|redis)(?=.)/;

export function normalized(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_.-]/g, '');
}

function rank(name: string, role: FieldRole): number {
  const plain = normalized(name);
  const exact = names[role].indexOf(plain);
  return exact >= 0 ? exact : names[role].indexOf(plain.replace(prefixes, ''));
}

/** Whether a field of this name has the role: by its name, or by its name behind the kind of server (`DB_PASSWORD`, `pgUser`). */
export function hasRole(name: string, role: FieldRole): boolean {
  if (rank(name, role) >= 0) return true;
  if (role !== 'connection-string') return false;
  const plain = normalized(name);
  return /(?:connectionstring|url|uri|dsn)$/.test(plain) && !/^(?:secondary|previous|old|readonly)/.test(plain);
}

/** What stands in front of the role in a name that the tables know; undefined where they do not. */
export function knownPrefix(name: string, role: FieldRole): string | undefined {
  const plain = normalized(name);
  if (names[role].includes(plain)) return '';
  const prefix = prefixes.exec(plain)?.[0];
  return prefix !== undefined && names[role].includes(plain.slice(prefix.length)) ? prefix : undefined;
}

/** The names of the role, the one that counts most first, and behind them all other names. */
export function byRank(role: FieldRole): (a: string, b: string) => number {
  const place = (name: string): number => {
    const found = rank(name, role);
    return found < 0 ? names[role].length : found;
  };
  return (a, b) => place(a) - place(b);
}

/**
 * How a field is called in a message. Names that are no plain short words are left out: a value may be built so that its secret is a
 * field's name.
 */
export function shownName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_-]{0,29}$/.test(name) ? name : '…';
}
