/** Names of hosts, written in one way, so that two spellings of one host are seen to be one. */
import type { Endpoint } from './rotator.ts';

const loopback = new Set(['localhost', '127.0.0.1', '::1']);

/**
 * The same for every way to write it: lower case, without a dot at the end, without the label of a private link (which resolves the same
 * name inside a network), and one name for this machine. Pure.
 */
export function hostName(host: string): string {
  const plain = host
    .trim()
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .replace('.privatelink.', '.');
  return loopback.has(plain) ? 'localhost' : plain;
}

/** Every host of the endpoints as `HOST:PORT`, each once. Pure. */
export function hostNames(endpoints: readonly Endpoint[], defaultPort: number): readonly string[] {
  const names = endpoints.flatMap(({ host, port, hosts = [] }) =>
    [{ host, ...(port === undefined ? {} : { port }) }, ...hosts]
      .filter((one) => one.host !== '')
      .map((one) => `${hostName(one.host)}:${one.port ?? port ?? defaultPort}`),
  );
  return [...new Set(names)];
}
