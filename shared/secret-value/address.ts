/** Server addresses as connection strings write them. */
import type { HostAndPort } from '../contract/rotator.ts';

export interface Address extends HostAndPort {
  /** SQL Server's named instance. */
  readonly instance?: string;
}

/** A port number, or undefined when the text is none. */
export function parsePort(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function lowerHost(host: string): string {
  // The path of a unix socket is no host name: case counts in it.
  return host.startsWith('/') ? host : host.toLowerCase();
}

function withPort(host: string, port: string | undefined): Address | undefined {
  if (!/^[^\s@=;,?#'"]*$/.test(host)) return undefined;
  if (port === undefined || port === '') return { host: lowerHost(host) };
  const number = parsePort(port);
  return number === undefined ? undefined : { host: lowerHost(host), port: number };
}

/** `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 literal; undefined when it is none of them. */
export function parseHostPort(text: string): Address | undefined {
  // The path of a unix socket, which may hold colons.
  if (text.startsWith('/')) return withPort(text, undefined);
  if (text.startsWith('[')) {
    const close = text.indexOf(']');
    const after = text.slice(close + 1);
    if (close < 0 || (after !== '' && !after.startsWith(':'))) return undefined;
    return withPort(text.slice(1, close), after.slice(1));
  }
  const colon = text.indexOf(':');
  if (colon < 0) return withPort(text, undefined);
  if (colon !== text.lastIndexOf(':'))
    return /^[0-9a-f:.]+(?:%.*)?$/i.test(text) ? withPort(text, undefined) : undefined;
  return withPort(text.slice(0, colon), text.slice(colon + 1));
}

function splitInstance(text: string): Address | undefined {
  const slash = text.indexOf('\\');
  if (slash < 0) return parseHostPort(text);
  const tail = parseHostPort(text.slice(slash + 1));
  const host = withPort(text.slice(0, slash), undefined);
  if (tail === undefined || host === undefined) return undefined;
  return { ...tail, host: host.host, instance: tail.host };
}

const scheme = /^(?:jdbc:|r2dbc:)?[a-z][a-z0-9+.-]{0,30}(?::[a-z0-9+.-]{1,30})?:\/\//i;

/**
 * Servers as ADO.NET strings, ODBC strings and JSON fields name them: a URL, `tcp:host,port`, `host\instance`, `host:port`, or a list of
 * them, of which the first counts. Undefined when one of them cannot be made out, or there is none.
 */
export function parseServers(text: string): readonly [Address, ...Address[]] | undefined {
  const trimmed = text.trim();
  const start = scheme.exec(trimmed)?.[0];
  if (start !== undefined) {
    const authority = /^[^/?#;]*/.exec(trimmed.slice(start.length))?.[0] ?? '';
    return parseAll(authority.slice(authority.lastIndexOf('@') + 1).split(','), splitInstance);
  }
  const bare = trimmed.replace(/^(?:tcp|np|lpc|admin):(?!:)/i, '');
  const [first = '', second, ...more] = bare.split(',').map((item) => item.trim());
  const port = second === undefined || more.length > 0 ? undefined : parsePort(second);
  const address = port === undefined ? undefined : named(splitInstance(first));
  if (address !== undefined && port !== undefined) return [{ ...address, port }];
  return parseAll(
    bare.split(',').filter((item) => item.trim() !== ''),
    splitInstance,
  );
}

/** All the addresses; undefined when one is none, or none is there. */
function parseAll(
  items: readonly string[],
  parse: (text: string) => Address | undefined,
): readonly [Address, ...Address[]] | undefined {
  const addresses = items.map((item) => named(parse(item.trim())));
  const known = addresses.filter((address) => address !== undefined);
  const [first, ...others] = known;
  return first === undefined || known.length < items.length ? undefined : [first, ...others];
}

function named(address: Address | undefined): Address | undefined {
  if (address === undefined || address.host === '') return undefined;
  return address.host === '.' || address.host === '(local)' ? { ...address, host: 'localhost' } : address;
}

/** Host and port as an endpoint has them, with the list where there is more than one. */
export function placesOf(
  addresses: readonly [Address, ...Address[]],
  port?: number,
): { readonly host: string; readonly port?: number; readonly hosts?: readonly HostAndPort[] } {
  const places = addresses.map((address): HostAndPort => {
    const own = address.port ?? port;
    return { host: address.host, ...(own === undefined ? {} : { port: own }) };
  });
  const [first] = places;
  return { host: addresses[0].host, ...first, ...(places.length > 1 ? { hosts: places } : {}) };
}
