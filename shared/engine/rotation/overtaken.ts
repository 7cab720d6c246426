/** Versions of somebody else that a version of ours has replaced: there is no compare-and-set, so they are named and not prevented. */
import type { SecretProperties, Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { answers, readStamp, type Stamp } from '../policy/stamp.ts';

type Version = Pick<SecretProperties, 'createdAt' | 'tags'> & { readonly version: string };

/** What a person should look at: each version between the one that was read and the one that replaced it. Pure. */
export function warningsOf(ours: Version, read: Version, versions: readonly Version[]): readonly string[] {
  return between(ours, read, versions).map(
    ({ version }) =>
      `Somebody else published version ${version} after version ${read.version} was read, and version ${ours.version} has replaced it. Compare the two, and publish what is missing.`,
  );
}

/** A rotation and the versions of somebody else that it replaced. */
export interface Overtaking {
  readonly rotationId: string;
  readonly warnings: readonly string[];
}

/**
 * The rotation that made the version which was read now, or the one a person copied its tags from: its worker may have died before it said
 * what it replaced, and its message may never come again. Undefined where it replaced nothing of anybody. Pure.
 */
export function overtakenBefore(stamp: Stamp | undefined, versions: readonly Version[]): Overtaking | undefined {
  if (stamp === undefined) return undefined;
  const { rotationId, from } = stamp;
  const ours = versions.findLast(({ tags }) => readStamp(tags)?.rotationId === rotationId);
  const read = versions.find(({ version }) => version === from);
  if (ours === undefined || read === undefined) return undefined;
  const warnings = warningsOf(ours, read, versions);
  return warnings.length === 0 ? undefined : { rotationId, warnings };
}

interface LookedBack {
  readonly kind: 'looked';
  readonly warnings: readonly string[];
  /** What the rotation before replaced, which may not have been said either. */
  readonly before: Overtaking | undefined;
  /** A version answers the request already, the current one or an older one. */
  readonly answered: boolean;
}

/** The same for the current version, where whoever published it died before saying so. Reads, and changes nothing. */
export async function lookBack(
  vault: Vault,
  { secret, stamp }: Current,
  asked: string,
  signal: AbortSignal,
): Promise<LookedBack | Failure> {
  const listed = await vault.versions(secret.name, { signal });
  if (isFailure(listed)) return listed;
  const read = listed.versions.find(({ version }) => version === stamp?.from);
  const warnings = read === undefined ? [] : warningsOf(secret, read, listed.versions);
  const before = read === undefined ? undefined : overtakenBefore(readStamp(read.tags), listed.versions);
  const answered = listed.versions.some(({ tags }) => answers(readStamp(tags), asked));
  return { kind: 'looked', warnings, before, answered };
}

/**
 * The service tells time in whole seconds, so a version of the same second as the one that was read counts; ours never shares its second
 * with that one. A value that was published once more without its predecessor is of the same rotation.
 */
function between(ours: Version, read: Version, versions: readonly Version[]): readonly Version[] {
  const known = [ours.version, read.version, readStamp(read.tags)?.from];
  const { rotationId } = readStamp(ours.tags) ?? {};
  return versions.filter(
    ({ version, createdAt, tags }) =>
      !known.includes(version) &&
      createdAt >= read.createdAt &&
      createdAt <= ours.createdAt &&
      readStamp(tags)?.rotationId !== rotationId,
  );
}
