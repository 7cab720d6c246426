/** The versions of copies that held a credential that has ended: disabled, and marked where it was revoked, as those of the source are. */
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { Revocation } from '../policy/revocation.ts';
import { readStamp, revokedOf, withRevoked } from '../policy/stamp.ts';
import type { Carrying } from './carry.ts';
import { behind, type Copy, findCopies, within } from './find.ts';

/** The rotation that replaced a credential, and who revoked that one. */
export interface Replaced {
  readonly rotationId: string;
  readonly revoked: Revocation | undefined;
}

/**
 * Closes what each copy held before these rotations. The newest version is never touched: consumers read it. A copy that cannot be found or
 * does not consent any more is left alone. May be called again.
 */
export async function endCopies(
  { deps, vault, attempt }: Carrying,
  current: Current,
  replaced: readonly Replaced[],
): Promise<{ readonly kind: 'ended' } | Failure> {
  if (current.policy.also.length === 0) return { kind: 'ended' };
  return attempt.step('end copies', async ({ signal }) => {
    const { ends } = await findCopies(deps.vaults, vault, current, signal);
    for (const end of ends) {
      if (end.kind === 'none') {
        if (end.failure.class === 'retry') return end.failure;
        continue;
      }
      for (const each of replaced) {
        const closed = await close(end, current, each, signal);
        if (isFailure(closed)) return closed;
      }
    }
    return { kind: 'ended' };
  });
}

async function close(
  { vault, place, shown, versions }: Copy,
  current: Current,
  { rotationId, revoked }: Replaced,
  signal: AbortSignal,
): Promise<{ readonly kind: 'closed' } | Failure> {
  const made = versions.find(({ tags }) => readStamp(tags)?.rotationId === rotationId);
  const from = made === undefined ? undefined : readStamp(made.tags)?.from;
  const old = versions.slice(1).find(({ version }) => version === from);
  if (old === undefined) return { kind: 'closed' };
  const toMark = revoked !== undefined && revokedOf(old.tags) === undefined;
  if (!old.enabled && !toMark) return { kind: 'closed' };
  const tags = toMark ? { tags: withRevoked(old.tags, revoked) } : {};
  const changed = await vault.change(
    place.secret,
    old.version,
    { enabled: false, ...tags },
    { signal: within(signal) },
  );
  return isFailure(changed) ? behind(current.secret.name, shown, changed) : { kind: 'closed' };
}
