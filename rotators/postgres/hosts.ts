import type { Endpoint } from '../../shared/contract/rotator.ts';

/** The hosts of an endpoint in the order to try them, each as an endpoint of its own. */
export function hostsOf(endpoint: Endpoint): readonly [Endpoint, ...Endpoint[]] {
  const { hosts, ...rest } = endpoint;
  const [first, ...others] = (hosts ?? []).map((one): Endpoint => ({ ...rest, ...one }));
  return first === undefined ? [rest] : [first, ...others];
}
