import type { Tags } from '../../contract/ports.ts';
import { type Revocation, readRevocation, revocationText, timeText } from './revocation.ts';

/**
 * What a version made by Keyturn says of its making, in the one tag `rotation`:
 * `id=…;also=…;from=…;copies=due;retire-by=…;retired=yes;revoke=WHO;revoked=WHEN,WHO;key=…;slot=…`.
 *
 * A copy bears the stamp of its source's rotation: the same id, and the version of the copy that was replaced.
 *
 * The stamp makes the vault the only source of truth: a request finds its own work, the old credential is found for retirement, and an
 * emergency stays one for whoever finishes it, from a listing alone. Readable by everyone who may list, so nothing secret is in it and no
 * free text.
 */
export interface Stamp {
  /** The rotation that made the version. */
  readonly rotationId: string;
  /** A second request that this version answers: it found the candidate of the first one stored, and published it. */
  readonly also?: string;
  /** The version that was replaced. */
  readonly from: string;
  /** Not every copy is known to hold what this version holds. */
  readonly copiesDue?: boolean;
  /** When the credential of `from` must be dead. Absent where it died at apply. */
  readonly retireBy?: Date;
  /** The credential of `from` was retired and proven refused; with `revoke`, its sessions were ended too. */
  readonly retired?: boolean;
  /** The credential of `from` is to be revoked, sessions and all. The id of whoever asked; empty where a tag had no room for it. */
  readonly revoke?: string;
  /** The credential of this version was revoked in an emergency. */
  readonly revoked?: Revocation;
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

/** Tags that Keyturn needs for itself: the stamp, and what was asked of the secret. */
export const tagsKept = 2;

/** Whether a version answers a request, as the first or the second that it was made for. */
export function answers(stamp: Stamp | undefined, rotationId: string): boolean {
  return stamp !== undefined && (stamp.rotationId === rotationId || stamp.also === rotationId);
}

/** Whether the credential before still has to end: its overlap runs, its deadline has passed, or an emergency is not finished. */
export function isRetirementOpen(stamp: Stamp | undefined): stamp is Stamp & { readonly retireBy: Date } {
  return stamp?.retireBy !== undefined && stamp.retired !== true;
}

/**
 * The text of the tag. Where it would not fit, the names of people go first and then the second request: what is left is all that the
 * engine decides by. An id of a key that leaves no room even so is for the caller to refuse.
 */
export function formatStamp(stamp: Stamp): string {
  const { also: _also, ...without } = stamp;
  const unnamed = (of: Stamp): Stamp => ({
    ...of,
    ...(of.revoke === undefined ? {} : { revoke: '' }),
    ...(of.revoked === undefined ? {} : { revoked: { ...of.revoked, by: '' } }),
  });
  const shorter = [stamp, unnamed(stamp), unnamed(without)].map(textOf);
  return shorter.find((text) => text.length <= longestTag) ?? textOf(unnamed(without));
}

function textOf(stamp: Stamp): string {
  const fields = [
    ['id', stamp.rotationId],
    ['also', stamp.also],
    ['from', stamp.from],
    ['copies', stamp.copiesDue === true ? 'due' : undefined],
    ['retire-by', stamp.retireBy === undefined ? undefined : timeText(stamp.retireBy)],
    ['retired', stamp.retired === true ? 'yes' : undefined],
    ['revoke', stamp.revoke === undefined ? undefined : encodeURIComponent(stamp.revoke)],
    ['revoked', stamp.revoked === undefined ? undefined : revocationText(stamp.revoked)],
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
    readField(stamp, text.slice(start, equals), text.slice(equals + 1, end));
  }
  // Both go on into messages and addresses, and anybody who may edit a tag can have written them.
  if (!isId(stamp.rotationId) || !/^[0-9a-f]{32}$/i.test(stamp.from)) return undefined;
  return stamp;
}

function readField(stamp: { -readonly [Name in keyof Stamp]: Stamp[Name] }, name: string, value: string): void {
  switch (name) {
    case 'id':
      stamp.rotationId = value;
      break;
    case 'also':
      if (isId(value)) stamp.also = value;
      break;
    case 'from':
      stamp.from = value;
      break;
    case 'copies':
      if (value === 'due') stamp.copiesDue = true;
      break;
    case 'retire-by': {
      const retireBy = new Date(value);
      if (!Number.isNaN(retireBy.getTime())) stamp.retireBy = retireBy;
      break;
    }
    case 'retired':
      if (value === 'yes') stamp.retired = true;
      break;
    case 'revoke':
      stamp.revoke = decoded(value) ?? '';
      break;
    case 'revoked': {
      const revoked = readRevocation(value);
      if (revoked !== undefined) stamp.revoked = revoked;
      break;
    }
    case 'key':
      setDecoded(stamp, 'keyId', value);
      break;
    case 'slot':
      setDecoded(stamp, 'slot', value);
      break;
  }
}

function isId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

function setDecoded(stamp: { keyId?: string; slot?: string }, name: 'keyId' | 'slot', text: string): void {
  const value = decoded(text);
  if (value !== undefined) stamp[name] = value;
}

/** Tags of the version to publish: all that stand, and the stamp. */
export function withStamp(tags: Tags, stamp: Stamp): Tags {
  return { ...tags, [stampTag]: formatStamp(stamp) };
}

/** Tags of a version whose credential was revoked: with its stamp, or with the mark alone where it has none. */
export function withRevoked(tags: Tags, revoked: Revocation): Tags {
  const stamp = readStamp(tags);
  if (stamp !== undefined) return withStamp(tags, { ...stamp, revoked });
  return { ...tags, [stampTag]: `revoked=${revocationText(revoked)}` };
}

/** Who revoked the credential of a version, and when; undefined where nobody did. A mark that cannot be read still counts as one. */
export function revokedOf(tags: Tags): Revocation | undefined {
  const field = (tags[stampTag] ?? '').split(';').find((each) => each.startsWith('revoked='));
  if (field === undefined) return undefined;
  return readRevocation(field.slice('revoked='.length)) ?? { by: '', at: new Date(0) };
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
