import { createHash } from 'node:crypto';

/** 128 bits of a hash, in hex: enough that two requests never share an id by chance. */
export function shortHash(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}

/**
 * The id of an automatic rotation: a hash of vault, name and the version to be replaced. All duplicates of an event, and the sweep that
 * finds the same version due, share it.
 */
export function rotationIdOf(vault: string, secret: string, version: string): string {
  return shortHash(vault.toLowerCase(), secret.toLowerCase(), version);
}

/** The id under which copies follow a version of somebody else that was accepted: no rotation has it. */
export function adoptionIdOf(vault: string, secret: string, version: string): string {
  return shortHash('adopted', vault.toLowerCase(), secret.toLowerCase(), version);
}

/**
 * What the names of all that is made at a provider for one secret begin with: a provider's listing then shows whose a key is, whatever a
 * tag or a stamp says of it. 64 bits of a hash, so that nobody finds another secret that shares it.
 */
export function labelPrefixOf(vault: string, secret: string): string {
  return `keyturn-${secret.slice(0, 20).toLowerCase()}-${shortHash(vault.toLowerCase(), secret.toLowerCase()).slice(0, 16)}-`;
}

/**
 * Name for whatever is made at a provider while `version` is replaced: at most 63 letters, digits and dashes. Depends on nothing that
 * differs between attempts, so the next attempt finds what a crashed one left behind.
 */
export function labelOf(vault: string, secret: string, version: string): string {
  return `${labelPrefixOf(vault, secret)}${rotationIdOf(vault, secret, version).slice(0, 16)}`;
}

/** What the vault takes as the name of a secret. */
export function isSecretName(text: string): boolean {
  return /^[0-9a-zA-Z-]{1,127}$/.test(text);
}

const pendingPrefix = 'keyturn-pending-';
const longestName = 127;

/**
 * Where the candidate of an in-place rotation is stored. No name holds two dashes in a row, which the configuration provider of .NET reads
 * as `:`, so that the candidate is no child of the secret's key (Microsoft.Extensions.Configuration, `KeyVaultSecretManager.GetKey`).
 * A name that had to be changed is told apart by a hash.
 */
export function pendingNameOf(secret: string): string {
  const plain = `${pendingPrefix}${secret}`;
  if (plain.length <= longestName && !plain.includes('--')) return plain;
  const hash = shortHash(secret.toLowerCase()).slice(0, 12);
  const short = plain.replaceAll(/-{2,}/g, '-').slice(0, longestName - hash.length - 1);
  return `${short.replace(/-$/, '')}-${hash}`;
}

/** Whether a name is that of a stored candidate: never rotated on its own. */
export function isPendingName(secret: string): boolean {
  return secret.toLowerCase().startsWith(pendingPrefix);
}
