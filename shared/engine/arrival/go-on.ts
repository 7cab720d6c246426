/** What was unfinished when somebody published: it is written down on the new version, because nobody looks at the one before any more. */
import { type Credential, sameCredential } from '../../contract/credential.ts';
import type { Tags, Vault } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { adoptionIdOf } from '../policy/identifiers.ts';
import { type Listed, openBefore } from '../policy/origin.ts';
import { readRequested, withRequested } from '../policy/requested.ts';
import { readStamp, type Stamp, withStamp } from '../policy/stamp.ts';
import { readEarlier } from '../running/previous.ts';

/**
 * An overlap that runs is finished by its own retirement, unless the new version publishes the very credential that was to end. A pause
 * goes on. An emergency that was not begun revokes the credential before where this version has replaced it, and stands where it has not. A
 * stamp that was carried over from another version loses what it says of that version's key. Copies of an accepted version are due. An update
 * of tags, which raises no event; may be called again. `credential`: undefined where the value holds none.
 */
export async function goOn(
  vault: Vault,
  current: Current,
  credential: Credential | undefined,
  { before, accepted }: { readonly before: Listed | undefined; readonly accepted: boolean },
  signal: AbortSignal,
): Promise<{ readonly kind: 'none' | 'written' } | Failure> {
  if (before === undefined) return { kind: 'none' };
  const tags = await tagsToGoOn(vault, current, credential, { before, accepted }, signal);
  if (isFailure(tags)) return tags;
  if (tags.tags === undefined) return { kind: 'none' };
  const { name, version } = current.secret;
  const written = await vault.change(name, version, { tags: tags.tags }, { signal });
  return isFailure(written) ? written : { kind: 'written' };
}

/** Whether there may be something to write down. Pure. */
export function hasUnfinished({ secret, stamp, policy }: Current, before: Listed | undefined): boolean {
  if (before === undefined) return false;
  const { emergency, paused } = readRequested(before.tags);
  const isKeyed = stamp?.keyId !== undefined || stamp?.slot !== undefined;
  return (
    policy.also.length > 0 ||
    isKeyed ||
    emergency !== undefined ||
    paused !== undefined ||
    openBefore(secret, before) !== undefined
  );
}

async function tagsToGoOn(
  vault: Vault,
  current: Current,
  credential: Credential | undefined,
  { before, accepted }: { readonly before: Listed; readonly accepted: boolean },
  signal: AbortSignal,
): Promise<{ readonly kind: 'tags'; readonly tags: Tags | undefined } | Failure> {
  if (!hasUnfinished(current, before)) return { kind: 'tags', tags: undefined };
  const { secret, requested } = current;
  const asked = readRequested(before.tags);
  const open = openBefore(secret, before);

  const replaced = await readEarlier(vault, current, before.version, signal, true);
  if (isFailure(replaced) && replaced.code !== 'value-unreadable') return replaced;
  const isSame =
    credential !== undefined && replaced.kind === 'earlier' && sameCredential(replaced.credential, credential);
  const next = await stampToGoOn(
    vault,
    current,
    credential,
    { before, open, replaces: accepted && !isSame, isSame },
    signal,
  );
  if (isFailure(next)) return next;
  const standing = {
    ...(asked.paused === undefined ? {} : { paused: asked.paused }),
    ...(asked.emergency === undefined || (accepted && !isSame) ? {} : { emergency: asked.emergency }),
    ...requested,
  };
  const stamp = accepted ? withCopiesDue(vault, current, next.stamp, before) : next.stamp;
  const stamped = stamp === undefined ? secret.tags : withStamp(secret.tags, stamp);
  const tags = withRequested(stamped, standing);
  const changed = Object.keys(tags).some((tag) => tags[tag] !== secret.tags[tag]);
  return { kind: 'tags', tags: changed ? tags : undefined };
}

interface Unfinished {
  readonly before: Listed;
  readonly open: (Stamp & { readonly retireBy: Date }) | undefined;
  /** The new version holds the credential that the one before held. */
  readonly isSame: boolean;
  /** It logs in, and holds another credential than the one before. */
  readonly replaces: boolean;
}

async function stampToGoOn(
  vault: Vault,
  current: Current,
  credential: Credential | undefined,
  { before, open, isSame, replaces }: Unfinished,
  signal: AbortSignal,
): Promise<{ readonly kind: 'stamp'; readonly stamp: Stamp | undefined } | Failure> {
  const { secret, stamp } = current;
  const { emergency } = readRequested(before.tags);
  if (stamp !== undefined) {
    const { keyId: _key, slot: _slot, ...rest } = stamp;
    return { kind: 'stamp', stamp: isSame ? stamp : rest };
  }
  if (emergency !== undefined && replaces) {
    // This version is what the emergency wanted: another credential. What is left is the end of the one that leaked.
    const { rotationId, by } = emergency;
    return { kind: 'stamp', stamp: { rotationId, from: before.version, retireBy: secret.readAt, revoke: by } };
  }
  if (open === undefined) return { kind: 'stamp', stamp: undefined };
  const ending = await readEarlier(vault, current, open.from, signal, true);
  if (isFailure(ending) && ending.code !== 'value-unreadable') return ending;
  if (credential !== undefined && ending.kind === 'earlier' && isHeldBy(current, ending.credential, credential))
    return { kind: 'stamp', stamp: undefined };
  const { keyId, slot, ...rest } = open;
  return {
    kind: 'stamp',
    stamp: {
      ...rest,
      ...(isSame && keyId !== undefined ? { keyId } : {}),
      ...(isSame && slot !== undefined ? { slot } : {}),
    },
  };
}

/**
 * Copies follow a version that was accepted: it says that they are due, under an id of its own, as copies that bear the id of the rotation
 * before count as written for it. That one is answered by the stamp still. Also where the credential is that of the version before, which
 * somebody else may have written, too: a copy that holds it is not written again. Pure.
 */
function withCopiesDue(
  vault: Vault,
  { secret, policy }: Current,
  stamp: Stamp | undefined,
  before: Listed,
): Stamp | undefined {
  if (policy.also.length === 0) return stamp;
  const rotationId = adoptionIdOf(vault.name, secret.name, secret.version);
  if (stamp === undefined) return { rotationId, from: before.version, copiesDue: true };
  const emergency = readRequested(before.tags).emergency?.rotationId;
  const written = readStamp(secret.tags)?.rotationId;
  if (written !== undefined && (written === rotationId || written === emergency)) return stamp;
  if (stamp.rotationId === emergency) return { ...stamp, copiesDue: true };
  return { ...stamp, rotationId, also: stamp.rotationId, copiesDue: true };
}

/** The credential that was to end is published again; where each has a login of its own, by its login. */
function isHeldBy({ policy }: Current, ending: Credential, credential: Credential): boolean {
  const { perLogin } = strategyTraits[policy.strategy];
  return perLogin ? ending.username === credential.username : sameCredential(ending, credential);
}
