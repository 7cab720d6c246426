import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from '../../contract/access.ts';
import type { Caller } from '../caller.ts';

// A hash without salt or slowness keeps a key safe only when the key cannot be guessed; 32 characters of any usual encoding are 128 bits.
const shortestKey = 32;
const longestKey = 512;

/**
 * Who holds the key, or undefined. Compares hashes, all of them each time, so that the time taken tells nothing of how far a guess
 * was right.
 */
export function callerByKey(presented: string, keys: readonly ApiKey[]): Caller | undefined {
  if (presented.length < shortestKey || presented.length > longestKey) return undefined;
  const digest = createHash('sha256').update(presented).digest();
  const [key] = keys.filter(({ sha256 }) => timingSafeEqual(digest, Buffer.from(sha256, 'hex')));
  if (key === undefined) return undefined;
  const { name, role, scope } = key;
  return {
    kind: 'caller',
    id: `key:${name}`,
    name: `key:${name}`,
    how: 'key',
    person: false,
    grants: [scope === undefined ? { role } : { role, scope }],
    consumers: role === 'consumer' ? [name] : [],
  };
}
