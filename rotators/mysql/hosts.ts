/** Which of several accounts of one name a server takes a client for. https://dev.mysql.com/doc/refman/8.4/en/connection-access.html */
import { BlockList, isIPv4 } from 'node:net';

/** The account whose host part fits best; undefined when none does. `client`: the client's address or name, as the server sees it. */
export function matching<Entry extends { readonly account: { readonly host: string } }>(
  accounts: readonly Entry[],
  client: string,
): Entry | undefined {
  return accounts
    .filter(({ account }) => fits(account.host, client))
    .sort((one, other) => rank(other.account.host) - rank(one.account.host))[0];
}

function fits(host: string, client: string): boolean {
  const [network = '', mask] = host.split('/');
  if (mask !== undefined) return isWithin(client, network, mask);
  const pattern = host === '' ? '%' : host;
  const text = pattern
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${text}$`, 'i').test(client);
}

/** `10.0.0.0/255.0.0.0` or `10.0.0.0/8`. */
function isWithin(client: string, network: string, mask: string): boolean {
  const bits = mask.includes('.') ? bitsOf(mask) : Number(mask);
  if (!isIPv4(client) || !isIPv4(network) || !(bits >= 0 && bits <= 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits);
  return list.check(client);
}

function bitsOf(mask: string): number {
  return mask.split('.').reduce((sum, part) => sum + Number(part).toString(2).replaceAll('0', '').length, 0);
}

/** A name or address as it is comes first, then networks, the smallest first, then patterns, by how much stands before the wildcard. */
function rank(host: string): number {
  const [, mask] = host.split('/');
  if (mask !== undefined) return 1_000 + (mask.includes('.') ? bitsOf(mask) : Number(mask));
  const wildcard = host.search(/[%_]/);
  if (host === '') return 0;
  return wildcard < 0 ? 2_000 : wildcard;
}
