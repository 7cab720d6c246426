/** What the end of an old credential has to do with copies: none may hold it any more, and their consumers are asked, too. */
import { type Failure, isFailure } from '../../errors.ts';
import { allOf, bringCopies, type Carrying, carryDue, type Held, settleCopies } from '../copies/carry.ts';
import type { Replaced } from '../copies/end.ts';
import { type Current, readCurrent } from '../policy/current.ts';
import { placeText } from '../policy/links.ts';
import type { Old } from './old.ts';

export interface CopiesSettled {
  readonly kind: 'settled';
  readonly current: Current;
  readonly held: readonly Held[];
}

/**
 * Sees that every copy holds what the current version holds. One that does not keeps the old credential alive, also past its deadline: its
 * readers would be cut. A link that one side has withdrawn keeps it until the deadline and no longer. In an emergency nothing is waited for.
 */
export async function settleBeforeEnd(
  work: Carrying,
  current: Current,
  { isEmergency, isOver }: { readonly isEmergency: boolean; readonly isOver: boolean },
): Promise<CopiesSettled | Failure> {
  const { stamp, policy } = current;
  if (isEmergency || stamp === undefined || policy.also.length === 0) return { kind: 'settled', current, held: [] };
  const source = { ...current, stamp };
  const brought = await bringCopies(work, source, false);
  if (isFailure(brought)) return brought;
  const holding = allOf(brought.failed.filter(({ code }) => !(isOver && code === 'copy-link')));
  if (holding !== undefined) return holding;
  const settled = await settleCopies(work, source);
  return isFailure(settled) ? settled : { kind: 'settled', current: settled, held: brought.held };
}

/** Consumers of copies that have not acknowledged, with the copy they read. */
export async function missingAtCopies(
  { deps }: Carrying,
  held: readonly Held[],
  signal: AbortSignal,
): Promise<{ readonly kind: 'missing'; readonly consumers: readonly string[] } | Failure> {
  const missing: string[] = [];
  for (const { place, version, consumers } of held) {
    if (consumers.length === 0) continue;
    const known = await deps.acknowledged(place.vault, place.secret, version, signal);
    if (isFailure(known)) return known;
    for (const consumer of consumers) {
      if (!known.consumers.has(consumer)) missing.push(`${consumer} of ${placeText(place)}`);
    }
  }
  return { kind: 'missing', consumers: missing };
}

/** How many consumers the copies name. */
export function namedAtCopies(held: readonly Held[]): number {
  return held.reduce((sum, { consumers }) => sum + consumers.length, 0);
}

/** The rotations that replaced the versions which end, newest first. Pure. */
export function replacedBy(ended: readonly Pick<Old, 'replacedBy' | 'revoke'>[], now: Date): readonly Replaced[] {
  return ended.map(({ replacedBy: rotationId, revoke }) => ({
    rotationId,
    revoked: revoke === undefined ? undefined : { by: revoke, at: now },
  }));
}

/** A value that carried its predecessor was published once more without it, and so are its copies. */
export async function carryMarked(
  work: Carrying,
  { secret: { name, version }, policy }: Current,
): Promise<{ readonly kind: 'carried' } | Failure> {
  if (policy.also.length === 0) return { kind: 'carried' };
  const { deps, vault, attempt } = work;
  const now = await attempt.step('read back', ({ signal }) => readCurrent(deps, vault, name, signal));
  if (isFailure(now)) return now;
  // Somebody may have written another version with the same tags since.
  const carried = now.kind === 'current' ? await carryDue(work, now, now.secret.version === version) : now;
  return isFailure(carried) ? carried : { kind: 'carried' };
}
