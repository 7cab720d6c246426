/**
 * Keys of the HTTP API on one machine. They are written here for everybody to read, as the account key of the storage emulator is, so
 * they are used with a host on loopback and nowhere else.
 */
import { createHash } from 'node:crypto';
import { type Role, roles } from '../shared/contract/access.ts';

/** By role; the consumer is called `consumer`. */
export const localApiKeys: Readonly<Record<Role, string>> = {
  reader: localKey('reader'),
  operator: localKey('operator'),
  emergency: localKey('emergency'),
  consumer: localKey('consumer'),
};

function localKey(name: string): string {
  return `local-key-of-the-${name}-on-this-machine-only`;
}

/** `KEYTURN_API_KEYS` for the given keys. */
export function apiKeySetting(
  keys: readonly { readonly name: string; readonly role: Role; readonly key: string }[],
): string {
  return keys
    .map(({ name, role, key }) => `${name}:${role}:${createHash('sha256').update(key).digest('hex')}`)
    .join(',');
}

export const localApiKeySetting = apiKeySetting(roles.map((role) => ({ name: role, role, key: localApiKeys[role] })));
