import type { Tags } from '../contract/ports.ts';

/**
 * What a version made by Keyturn says of its making, in the one tag `rotation`: `id=…;from=…;retire-by=…;key=…;slot=…;retired=…`.
 *
 * The stamp makes the vault the only source of truth: the same request finds its own work, and the old credential is found for
 * retirement, from a listing alone. Readable by everyone who may list, so nothing secret is in it.
 */
export interface Stamp {
  readonly rotationId: string;
  /** The version that was replaced. */
  readonly from: string;
  /** When the credential of `from` must be dead. Absent where it died at apply. */
  readonly retireBy?: Date;
  /** The credential of `from` was retired and proven refused. */
  readonly retired?: boolean;
  /** The provider's id of the key that this version holds. */
  readonly keyId?: string;
  /** The slot of the key that this version holds. */
  readonly slot?: string;
}

export const stampTag = 'rotation';

/** The tag of a stored candidate that says whose it is: its own name may be shortened. */
export const pendingOfTag = 'pending-of';

/** A vault tag holds 256 characters. */
export const longestTag = 256;

/** Tags a secret may hold. */
export const mostTags = 15;

export function formatStamp(stamp: Stamp): string {
  const fields = [
    ['id', stamp.rotationId],
    ['from', stamp.from],
    ['retire-by', stamp.retireBy?.toISOString().replace('.000Z', 'Z')],
    ['retired', stamp.retired === true ? 'yes' : undefined],
    ['key', stamp.keyId === undefined ? undefined : encodeURIComponent(stamp.keyId)],
    ['slot', stamp.slot === undefined ? undefined : encodeURIComponent(stamp.slot)],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join(';');
}

/** The stamp of a version, or undefined where Keyturn did not make it. A stamp that somebody edited into nonsense counts as none. */
export function readStamp(tags: Tags): Stamp | undefined {
  const text = tags[stampTag];
  if (text === undefined) return undefined;
  let rotationId: string | undefined;
  let from: string | undefined;
  let retireBy: string | undefined;
  let retired: string | undefined;
  let keyId: string | undefined;
  let slot: string | undefined;
  for (const field of text.split(';')) {
    const at = field.indexOf('=');
    const value = field.slice(at + 1);
    switch (field.slice(0, Math.max(at, 0))) {
      case 'id':
        rotationId = value;
        break;
      case 'from':
        from = value;
        break;
      case 'retire-by':
        retireBy = value;
        break;
      case 'retired':
        retired = value;
        break;
      case 'key':
        keyId = decoded(value);
        break;
      case 'slot':
        slot = decoded(value);
        break;
    }
  }
  // Both go on into messages and addresses, and anybody who may edit a tag can have written them.
  if (rotationId === undefined || !/^[0-9a-f]{32}$/.test(rotationId)) return undefined;
  if (from === undefined || !/^[0-9a-f]{32}$/i.test(from)) return undefined;
  const retireAt = new Date(retireBy ?? Number.NaN);
  return {
    rotationId,
    from,
    ...(Number.isNaN(retireAt.getTime()) ? {} : { retireBy: retireAt }),
    ...(retired === 'yes' ? { retired: true } : {}),
    ...(keyId === undefined ? {} : { keyId }),
    ...(slot === undefined ? {} : { slot }),
  };
}

/** Tags of the version to publish: all that stand, and the stamp. */
export function withStamp(tags: Tags, stamp: Stamp): Tags {
  return { ...tags, [stampTag]: formatStamp(stamp) };
}

function decoded(text: string): string | undefined {
  if (!/^(?:[^%]|%[0-9A-Fa-f]{2})*$/.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch (notUtf8) {
    if (notUtf8 instanceof URIError) return undefined;
    throw notUtf8;
  }
}
