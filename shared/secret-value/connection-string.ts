import { looksLikeAdoNet, readAdoNet } from './ado-net.ts';
import type { Format } from './format.ts';
import { looksLikeLibpq, readLibpq } from './libpq.ts';
import { malformed, type Reading, type Unreadable } from './reading.ts';
import { looksLikeStackExchangeRedis, readStackExchangeRedis } from './stackexchange-redis.ts';
import { looksLikeUri, readUri } from './uri.ts';

export type ConnectionStringFormat = Exclude<Format, 'raw' | 'json'>;

export const connectionStringReaders: Readonly<Record<ConnectionStringFormat, (text: string) => Reading | Unreadable>> =
  {
    uri: readUri,
    libpq: readLibpq,
    'ado-net': readAdoNet,
    'stackexchange-redis': readStackExchangeRedis,
  };

/** Which connection string the text is; undefined when it is none. What reads in two ways is refused, not guessed at. */
export function detectConnectionString(text: string): ConnectionStringFormat | Unreadable | undefined {
  if (looksLikeUri(text)) return 'uri';
  const fitting: ConnectionStringFormat[] = [];
  if (looksLikeStackExchangeRedis(text)) fitting.push('stackexchange-redis');
  if (looksLikeLibpq(text)) fitting.push('libpq');
  if (looksLikeAdoNet(text)) fitting.push('ado-net');
  const [first, second] = fitting;
  if (first === undefined || second === undefined) return first;
  return malformed(`it reads both as ${first} and as ${second}; say which with the tag "format"`);
}
