/** Which of the hosts that a value names may be used. */
import type { Endpoint, HostAndPort, Step } from '../../contract/rotator.ts';

/** Every host that the endpoint names: of its list, and of other fields. */
export function hostsNamed(endpoint: Endpoint): readonly string[] {
  return [...new Set([...listed(endpoint).map(({ host }) => host), ...(endpoint.otherHosts ?? [])])];
}

function listed({ host, port, hosts }: Endpoint): readonly HostAndPort[] {
  return hosts ?? [{ host, ...(port === undefined ? {} : { port }) }];
}

/**
 * Whether the sessions that the admin sees are all there are. Behind another name of the server may be a replica, which has sessions of its
 * own that the admin's host does not list.
 */
export function adminSeesAll({ endpoint, adminEndpoint }: Pick<Step, 'endpoint' | 'adminEndpoint'>): boolean {
  const seen = new Set(hostsNamed(adminEndpoint));
  return listed(endpoint).every(({ host }) => seen.has(host));
}

export type AllowedHosts =
  | { readonly kind: 'allowed'; readonly endpoint: Endpoint }
  /** The host that is not. */
  | { readonly kind: 'not-allowed'; readonly host: string };

/**
 * The endpoint with those hosts of its list that may be used. A list is of one server, so one that may be used is enough; a host that
 * another field names stands for a second opinion, so each of those must be allowed.
 */
export function allowHosts(endpoint: Endpoint, mayUse: (host: string) => boolean): AllowedHosts {
  const stranger = endpoint.otherHosts?.find((host) => !mayUse(host));
  if (stranger !== undefined) return { kind: 'not-allowed', host: stranger };
  const hosts = listed(endpoint).filter(({ host }) => mayUse(host));
  const [first] = hosts;
  if (first === undefined) return { kind: 'not-allowed', host: endpoint.host };
  const { host: _host, port: _port, hosts: _hosts, ...rest } = endpoint;
  return { kind: 'allowed', endpoint: { ...rest, ...first, ...(hosts.length > 1 ? { hosts } : {}) } };
}
