/** What a secret's value says about a connection, for the usual ways to write one. Any other way is the caller's `connect`. */
import { ConsumerError } from '../errors.ts';
import { SecretText } from '../secret-text.ts';

export interface ConnectionValue {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password: string;
  readonly database?: string;
  /** Asked for or forbidden by the value itself; absent: it says nothing. */
  readonly tls?: boolean;
  /** Whether the value itself asks for a certificate that is not checked. */
  readonly unchecked?: boolean;
}

type Known = 'host' | 'port' | 'user' | 'password' | 'database' | 'tls' | 'url';

/** What fields of JSON are called, in lower case without `_`, `-` and blanks. */
const fieldNames: Readonly<Record<Known, readonly string[]>> = {
  host: ['host', 'hostname', 'server', 'fqdn', 'endpoint'],
  port: ['port'],
  user: ['username', 'user', 'userid', 'uid', 'login'],
  password: ['password', 'pwd', 'pass'],
  database: ['database', 'dbname', 'db', 'initialcatalog', 'databasename'],
  tls: ['tls', 'ssl', 'sslmode', 'encrypt'],
  url: ['url', 'uri', 'connectionstring'],
};

const uri = /^([a-z][a-z0-9+.-]*):\/\//i;

/**
 * Reads a URI of one of the schemes, JSON with the usual names (also with a URI inside), or a bare password. Throws a `ConsumerError`
 * that holds nothing of the value.
 */
export function readConnectionValue(value: SecretText, name: string, schemes: readonly string[]): ConnectionValue {
  const text = value.reveal().trim();
  if (text.startsWith('{')) return fromJson(text, name, schemes);
  if (uri.test(text)) return fromUri(text, name, schemes);
  if (/(?:^|[\s;,])(?:host|server|data source|user|uid|user id|username|password|pwd)\s*=/i.test(text)) {
    throw unreadable(name, 'it is written as names and values. Give "connect" to read it.');
  }
  return { password: value.reveal() };
}

export function unreadable(name: string, why: string): ConsumerError {
  return new ConsumerError('value-unreadable', `The value of ${name} is no connection for this driver: ${why}`);
}

function fromUri(text: string, name: string, schemes: readonly string[]): ConnectionValue {
  const scheme = uri.exec(text)?.[1]?.toLowerCase() ?? '';
  if (!schemes.includes(scheme)) throw unreadable(name, `its scheme must be one of ${schemes.join(', ')}.`);
  const url = URL.parse(text);
  // The error of the URL constructor would hold the whole value.
  if (url === null) throw unreadable(name, 'it is no URI; percent-encode what stands for itself in the password.');
  const password = decoded(url.password, name);
  if (password === '') throw unreadable(name, 'it has no password.');
  const database = decoded(url.pathname.slice(1), name);
  return {
    ...(url.hostname === '' ? {} : { host: decoded(url.hostname, name).replace(/^\[(.*)\]$/, '$1') }),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username === '' ? {} : { user: decoded(url.username, name) }),
    password,
    ...(database === '' ? {} : { database }),
    ...(scheme === 'rediss' ? { tls: true } : tlsOf(parameter(url, fieldNames.tls))),
  };
}

function parameter(url: URL, names: readonly string[]): string | undefined {
  for (const [key, value] of url.searchParams) if (names.includes(plainName(key))) return value;
  return undefined;
}

function decoded(part: string, name: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) throw unreadable(name, 'a percent sign in it encodes nothing.');
    throw error;
  }
}

function fromJson(text: string, name: string, schemes: readonly string[]): ConnectionValue {
  const fields = jsonFields(text, name);
  const field = (known: Known): string | undefined => {
    const found = fieldNames[known].map((one) => fields.get(one)).find((one) => one !== undefined && one !== '');
    return found;
  };
  const url = field('url');
  if (field('password') === undefined && url !== undefined && uri.test(url)) return fromUri(url, name, schemes);
  const password = field('password');
  if (password === undefined) throw unreadable(name, 'its JSON has no field "password".');
  const [host, port, user, database] = [field('host'), field('port'), field('user'), field('database')];
  if (port !== undefined && !/^\d{1,5}$/.test(port)) throw unreadable(name, 'its "port" is no number.');
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
    password,
    ...(database === undefined ? {} : { database }),
    ...tlsOf(field('tls')),
  };
}

function jsonFields(text: string, name: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // What JSON.parse throws quotes the text.
    throw unreadable(name, 'it begins as JSON but is none.');
  }
  for (const [key, value] of Object.entries(typeof parsed === 'object' && parsed !== null ? parsed : {})) {
    const plain: unknown = value;
    if (['string', 'number', 'boolean'].includes(typeof plain)) fields.set(plainName(key), String(plain));
  }
  return fields;
}

function plainName(key: string): string {
  return key.toLowerCase().replaceAll(/[\s_.-]/g, '');
}

function tlsOf(mode: string | undefined): { tls?: boolean; unchecked?: boolean } {
  if (mode === undefined) return {};
  if (/^(?:disable|disabled|false|no|off|0)$/i.test(mode)) return { tls: false };
  return /^no-verify$/i.test(mode) ? { tls: true, unchecked: true } : { tls: true };
}

/** Whether a host is this machine; the only one that is spoken to without TLS unasked. */
export function isThisMachine(host: string | undefined): boolean {
  return host === undefined || ['localhost', '::1', '[::1]'].includes(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The text wrapped, so that errors are searched for it. */
export function hidden(...texts: readonly unknown[]): readonly SecretText[] {
  return texts.filter((text) => typeof text === 'string').map((text) => new SecretText(text));
}
