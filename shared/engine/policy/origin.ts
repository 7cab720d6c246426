/** Whose a version is, as the listing of a secret's versions tells: ours, or somebody else's. */
import type { SecretProperties } from '../../contract/ports.ts';
import { isRetirementOpen, readStamp, type Stamp } from './stamp.ts';

export type Listed = SecretProperties & { readonly version: string };

export type Origin =
  /** There is no such version any more. */
  | { readonly kind: 'gone' }
  /** A newer one is current, and has an event of its own. */
  | { readonly kind: 'superseded' }
  /** No version ever had the tag "rotator". */
  | { readonly kind: 'unmanaged' }
  /** The tag is missing; `managed` is the newest version before that has it. */
  | { readonly kind: 'opted-out'; readonly managed: Listed }
  | { readonly kind: 'ours' }
  /** `carried`: it bears the stamp of an earlier version, as tags that were copied do. `before`: the version that it replaced. */
  | { readonly kind: 'foreign'; readonly carried: boolean; readonly before: Listed | undefined };

/**
 * Whose the newest version is. Ours is one whose rotation id stands on no earlier version and that names the one before as the one it
 * replaced: whoever carries tags over carries the stamp too, and Keyturn itself never publishes one stamp twice. The one exception is a
 * `self-issued` value that is published once more without its predecessor, and that has no target to prove it at.
 *
 * `versions`: all of the secret, newest first. Pure.
 */
export function originOf(versions: readonly Listed[], version: string): Origin {
  const at = versions.findIndex((each) => each.version === version);
  const one = versions[at];
  if (one === undefined) return { kind: 'gone' };
  if (at > 0 && !isSameSecond(one, versions[0])) return { kind: 'superseded' };
  const others = versions.filter((each) => each.version !== version);
  // Linked to another secret on purpose, and renewed with it.
  if (one.tags['copy-of'] !== undefined || one.tags['derived-from'] !== undefined) return { kind: 'unmanaged' };
  if (one.tags['rotator'] === undefined) {
    const managed = others.find(({ tags }) => tags['rotator'] !== undefined);
    // A disabled version is read by nobody: its secret was put out of use, and not opted out by accident.
    return managed === undefined || !one.enabled ? { kind: 'unmanaged' } : { kind: 'opted-out', managed };
  }
  const stamp = readStamp(one.tags);
  const carried = stamp !== undefined && others.some(({ tags }) => readStamp(tags)?.rotationId === stamp.rotationId);
  if (stamp !== undefined && !carried && followsOn(others, stamp)) return { kind: 'ours' };
  return { kind: 'foreign', carried, before: others[0] };
}

/** The service tells time in whole seconds, so any of the versions of the second before may be the one before. */
function followsOn(others: readonly Listed[], { from }: Stamp): boolean {
  const [before] = others;
  const replaced = others.find(({ version }) => version === from);
  return replaced !== undefined && isSameSecond(replaced, before);
}

function isSameSecond(one: Listed, other: Listed | undefined): boolean {
  return other !== undefined && one.createdAt.getTime() === other.createdAt.getTime();
}

/**
 * The stamp of a retirement that the version before began and that nobody would finish any more, because the newest version bears no stamp
 * of its own. Undefined where there is none. Pure.
 */
export function openBefore(newest: Pick<Listed, 'tags'>, before: Listed | undefined) {
  const stamp = before === undefined ? undefined : readStamp(before.tags);
  return readStamp(newest.tags) === undefined && isRetirementOpen(stamp) ? stamp : undefined;
}
