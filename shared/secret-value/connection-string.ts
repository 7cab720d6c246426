import { looksLikePairs, readAdoNet } from './ado-net.ts';
import type { Format } from './format.ts';
import { looksLikeLibpq, readLibpq } from './libpq.ts';
import { type Looks, malformed, type Reading, type Unreadable } from './reading.ts';
import { looksLikeStackExchangeRedis, readStackExchangeRedis } from './stackexchange-redis.ts';
import { readUri } from './uri.ts';
import { looksLikeUri } from './uri-layout.ts';

export type ConnectionStringFormat = Exclude<Format, 'raw' | 'json'>;

export const connectionStringReaders: Readonly<Record<ConnectionStringFormat, (text: string) => Reading | Unreadable>> =
  {
    uri: readUri,
    libpq: readLibpq,
    'ado-net': readAdoNet,
    'stackexchange-redis': readStackExchangeRedis,
  };

/**
 * Which connection string the text is; undefined when it is none. What reads in two ways is refused, not guessed at. A connection string
 * without a password is told as such, with the login and the address that it names.
 */
export function detectConnectionString(text: string): ConnectionStringFormat | Unreadable | undefined {
  if (looksLikeUri(text)) return 'uri';
  const looks: readonly (readonly [ConnectionStringFormat, Looks])[] = [
    ['stackexchange-redis', looksLikeStackExchangeRedis(text)],
    ['libpq', looksLikeLibpq(text)],
    ['ado-net', looksLikePairs(text)],
  ];
  const [first, second] = looks.filter(([, look]) => look === 'with-password').map(([format]) => format);
  if (first !== undefined && second !== undefined) {
    return malformed(`it reads both as ${first} and as ${second}; say which with the tag "format"`);
  }
  if (first !== undefined) return first;
  const without = looks.find(([, look]) => look === 'without-password')?.[0];
  const reading = without === undefined ? undefined : connectionStringReaders[without](text);
  return reading?.kind === 'unreadable' ? reading : undefined;
}
