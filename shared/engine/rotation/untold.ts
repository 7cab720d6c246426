/** What nobody was told of, because a worker died between the publish and all that follows it. */
import { isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { SkipReason } from '../policy/due.ts';
import type { RotationRequest } from '../policy/request.ts';
import type { Attempt } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import type { Overtaking } from './overtaken.ts';

interface Asked {
  readonly deps: EngineDependencies;
  readonly request: RotationRequest;
  readonly attempt: Attempt;
}

/**
 * A sweep finds secrets and no versions, so a message of its own may be what made the current version and died before anybody was told: it
 * finds that one not due. Rare enough to look.
 */
export async function isUntold(
  { deps, request, attempt }: Asked,
  { stamp }: Current,
  reason: SkipReason,
): Promise<boolean> {
  const isSweeps = request.mode === 'scheduled' && request.version === undefined;
  if (!isSweeps || stamp === undefined || !['not-due', 'overlap-running'].includes(reason)) return false;
  const known = await deps.followUps.done(stamp.rotationId);
  if (isFailure(known) || known.done) return false;
  attempt.identify(stamp.rotationId);
  return true;
}

/** What the rotation before replaced, where nobody was told: that is rare, so only then is anybody asked. */
export async function untold(
  { deps }: Pick<Asked, 'deps'>,
  before: Overtaking | undefined,
): Promise<readonly string[]> {
  if (before === undefined) return [];
  const known = await deps.followUps.done(before.rotationId);
  return !isFailure(known) && known.done ? [] : before.warnings;
}
