/** Tells one state of a secret from another, as a listing shows it: its newest version, and all tags that are its owner's. */
import type { SecretProperties, Tags } from '../../contract/ports.ts';
import { requestedTag } from '../policy/requested.ts';
import { stampTag } from '../policy/stamp.ts';

/** FNV-1a, 32 bits: a sweep makes one for each tag, and needs no secrecy. */
export function quickHash(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** Tags come in no order, so their hashes are added. Keyturn's own change without the secret becoming another one. */
function tagsHash(tags: Tags): number {
  let sum = 0;
  for (const tag in tags) {
    if (tag === stampTag || tag === requestedTag) continue;
    sum = (sum + quickHash(tags[tag] ?? '', quickHash(tag))) >>> 0;
  }
  return sum;
}

/** A listing of names tells no version, but when it was made. Pure. */
export function markOf({ createdAt, tags }: Pick<SecretProperties, 'createdAt' | 'tags'>): string {
  return `${(createdAt.getTime() / 1000).toString(36)}-${tagsHash(tags).toString(36)}`;
}
