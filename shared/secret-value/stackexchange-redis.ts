/**
 * Configuration strings of StackExchange.Redis: `host:port,host2:port,password=…,ssl=True`, by the rules of `ConfigurationOptions.Parse`:
 * split at commas, trimmed, the first `=` ends the name, names in any case. There is no quoting.
 */
import type { Endpoint } from '../contract/rotator.ts';
import { type Address, parseHostPort, placesOf } from './address.ts';
import { trimSpan } from './blank.ts';
import { publicOptions } from './options.ts';
import {
  type Encoded,
  encoded,
  type Looks,
  malformed,
  type Reading,
  type Slot,
  settle,
  type Unreadable,
  unencodable,
} from './reading.ts';

interface Item {
  /** Empty for an address. */
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

function readItems(text: string): readonly Item[] {
  const items: Item[] = [];
  for (let from = 0; from <= text.length; ) {
    const comma = text.indexOf(',', from);
    const until = comma < 0 ? text.length : comma;
    const [start, end] = trimSpan(text, from, until);
    const equals = text.slice(start, end).indexOf('=');
    if (equals > 0) {
      const [valueStart, valueEnd] = trimSpan(text, start + equals + 1, end);
      const [keyStart, keyEnd] = trimSpan(text, start, start + equals);
      const key = text.slice(keyStart, keyEnd).toLowerCase();
      items.push({ key, start: valueStart, end: valueEnd, value: text.slice(valueStart, valueEnd) });
    } else if (end > start) {
      items.push({ key: '', start, end, value: text.slice(start, end) });
    }
    from = until + 1;
  }
  return items;
}

function encodeItem(next: string): Encoded {
  if (next.includes(',')) return unencodable('a StackExchange.Redis string cannot hold a comma in a value');
  const [start, end] = trimSpan(next, 0, next.length);
  if (end - start !== next.length) {
    return unencodable('a StackExchange.Redis string cannot hold a value that begins or ends with a blank');
  }
  return encoded(next);
}

function addressesOf(items: readonly Item[]): readonly Address[] | Unreadable {
  const texts = items.filter((item) => item.key === '').map((item) => item.value);
  const addresses = texts
    .map(parseHostPort)
    .filter((address) => address !== undefined)
    .filter(({ host }) => host !== '');
  return addresses.length < texts.length ? malformed('an address of the Redis server cannot be read') : addresses;
}

function endpointOf(items: readonly Item[], password: string): Endpoint | undefined | Unreadable {
  const addresses = addressesOf(items);
  if ('kind' in addresses) return addresses;
  const [first, ...others] = addresses;
  if (first === undefined) return undefined;
  const database = items.findLast((item) => item.key === 'defaultdatabase')?.value;
  const options = items
    .filter((item) => item.key !== '' && item.key !== 'user')
    .map((item): [string, string] => [item.key, item.value]);
  return {
    ...placesOf([first, ...others]),
    ...(database ? { database } : {}),
    options: publicOptions(options, password),
  };
}

export function readStackExchangeRedis(text: string): Reading | Unreadable {
  const items = readItems(text);
  const slots = (key: string): Slot[] =>
    items
      .filter((item) => item.key === key)
      .map(({ start, end, value }) => ({ start, end, value, encode: encodeItem }));
  const passwords = slots('password');
  const endpoint = endpointOf(items, passwords[0]?.value ?? '');
  if (endpoint !== undefined && 'kind' in endpoint) return endpoint;
  const usernames = slots('user');
  return settle({ passwords, usernames, endpoint }, 'the StackExchange.Redis string has no password ("password")');
}

// Settings that a string without a password is known by.
const settings = new Set([
  ...['ssl', 'abortconnect', 'user', 'name', 'allowadmin', 'connecttimeout', 'connectretry', 'synctimeout', 'sslhost'],
  ...['asynctimeout', 'defaultdatabase', 'keepalive', 'channelprefix', 'resolvedns', 'servicename', 'sslprotocols'],
  ...['proxy', 'protocol', 'tiebreaker', 'configchannel', 'version'],
]);

/** An address first, then settings. */
export function looksLikeStackExchangeRedis(text: string): Looks {
  const [first, ...others] = readItems(text);
  if (first === undefined || first.key !== '') return 'other';
  if (!/^[\w.:[\]-]+$/.test(first.value) || parseHostPort(first.value) === undefined) return 'other';
  if (others.some((item) => item.key === 'password')) return 'with-password';
  const known = others.filter((item) => settings.has(item.key)).length;
  return known > 0 && known === others.filter((item) => item.key !== '').length ? 'without-password' : 'other';
}
