import type { Tags } from '../../contract/ports.ts';

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
  const stamp: { -readonly [Name in keyof Stamp]: Stamp[Name] } = { rotationId: '', from: '' };
  for (let start = 0, end: number; start < text.length; start = end + 1) {
    end = text.indexOf(';', start);
    if (end < 0) end = text.length;
    const equals = text.indexOf('=', start);
    if (equals < 0) break;
    if (equals > end) continue;
    const value = text.slice(equals + 1, end);
    switch (text.slice(start, equals)) {
      case 'id':
        stamp.rotationId = value;
        break;
      case 'from':
        stamp.from = value;
        break;
      case 'retire-by':
        stamp.retireBy = new Date(value);
        break;
      case 'retired':
        stamp.retired = value === 'yes';
        break;
      case 'key':
        setDecoded(stamp, 'keyId', value);
        break;
      case 'slot':
        setDecoded(stamp, 'slot', value);
        break;
    }
  }
  // Both go on into messages and addresses, and anybody who may edit a tag can have written them.
  if (!/^[0-9a-f]{32}$/.test(stamp.rotationId) || !/^[0-9a-f]{32}$/i.test(stamp.from)) return undefined;
  if (stamp.retired === false) delete stamp.retired;
  if (stamp.retireBy !== undefined && Number.isNaN(stamp.retireBy.getTime())) delete stamp.retireBy;
  return stamp;
}

function setDecoded(stamp: { keyId?: string; slot?: string }, name: 'keyId' | 'slot', text: string): void {
  const value = decoded(text);
  if (value !== undefined) stamp[name] = value;
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
