import type { Endpoint } from '../../shared/contract/rotator.ts';
import { parseHostPort } from '../../shared/secret-value/address.ts';

/** The hosts of an endpoint in the order to try them: its own, and those that the value lists beside it (`h1:5432,h2:5432`). */
export function hostsOf(endpoint: Endpoint): readonly Endpoint[] {
  const listed = (endpoint.options['hosts'] ?? '').split(',').flatMap((text) => {
    const address = text === '' ? undefined : parseHostPort(text.trim());
    return address === undefined ? [] : [address];
  });
  const seen = new Set([nameOf(endpoint)]);
  const others = listed.flatMap(({ host, port }) => {
    const other = { ...endpoint, host, ...portOf(port ?? endpoint.port) };
    if (host === '' || seen.has(nameOf(other))) return [];
    seen.add(nameOf(other));
    return [other];
  });
  return [endpoint, ...others];
}

function portOf(port: number | undefined): { readonly port?: number } {
  return port === undefined ? {} : { port };
}

function nameOf({ host, port }: Pick<Endpoint, 'host' | 'port'>): string {
  return `${host}:${port ?? ''}`;
}
