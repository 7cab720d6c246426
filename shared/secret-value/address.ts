/** Server addresses as connection strings write them. */

export interface Address {
  readonly host: string;
  readonly port?: number;
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

/**
 * A server as ADO.NET strings, ODBC strings and JSON fields name it: a URL, `tcp:host,port`, `host\instance`, `host:port`, or a list of
 * hosts, of which the first counts. Undefined when no host can be made out.
 */
export function parseServer(text: string): Address | undefined {
  const trimmed = text.trim();
  const scheme = /^[a-z][a-z0-9+.-]{0,30}:\/\//i.exec(trimmed)?.[0];
  if (scheme !== undefined) {
    const authority = /^[^/?#]*/.exec(trimmed.slice(scheme.length))?.[0] ?? '';
    return named(parseHostPort(authority));
  }
  const bare = trimmed.replace(/^(?:tcp|np|lpc|admin):(?!:)/i, '');
  const comma = bare.indexOf(',');
  const first = comma < 0 ? bare : bare.slice(0, comma).trim();
  const address = named(splitInstance(first));
  const port = comma < 0 ? undefined : parsePort(bare.slice(comma + 1).trim());
  return address === undefined || port === undefined ? address : { ...address, port };
}

function named(address: Address | undefined): Address | undefined {
  if (address === undefined || address.host === '') return undefined;
  return address.host === '.' || address.host === '(local)' ? { ...address, host: 'localhost' } : address;
}
