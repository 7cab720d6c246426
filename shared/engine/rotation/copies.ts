/** What a rotation does for copies: it looks before it changes anything, and brings what it published to all. */
import { type Failure, failure, isFailure } from '../../errors.ts';
import { allOf, type Carrying, carryDue } from '../copies/carry.ts';
import { lookAtSource } from '../copies/link.ts';
import { lookAtCopies } from '../copies/look.ts';
import { type Current, type LinkedCurrent, readCurrent } from '../policy/current.ts';
import { placeText } from '../policy/links.ts';
import type { RotationRequest } from '../policy/request.ts';
import type { Target } from '../running/target.ts';
import type { Found } from './probe.ts';

type Mode = RotationRequest['mode'];

const hasty: ReadonlySet<Mode> = new Set<Mode>(['emergency', 'forced', 'roll-back', 'repair']);

/**
 * Whether copies that are behind hold the next rotation back: it would take away what they hold still. A person who insists, an emergency, a
 * way back and a repair are not held; neither is a source whose own credential is dead, which the rotation is to heal. Pure.
 */
export function holdsRotation({ code }: Failure, mode: Mode, isEmergency: boolean): boolean {
  if (isEmergency || hasty.has(mode)) return false;
  if (code === 'credential-drifted' || code === 'value-unreadable') return mode === 'resume';
  return code !== 'copy-overwritten' || mode === 'scheduled' || mode === 'resume';
}

/**
 * Before anything is changed for a new credential, every copy must be there, consent, and have a place for it. What was begun before, an
 * emergency and a way back do not wait for a copy: they bring it up to date afterwards.
 */
export async function lookFirst(
  work: Carrying,
  current: Current,
  target: Target,
  { mode, found, isEmergency }: { readonly mode: Mode; readonly found: Found; readonly isEmergency: boolean },
): Promise<{ readonly kind: 'looked' } | Failure> {
  const isNew = (mode === 'scheduled' || mode === 'asked') && found.stored === undefined && !isEmergency;
  if (!isNew || current.policy.also.length === 0) return { kind: 'looked' };
  const { deps, vault, attempt } = work;
  return attempt.step('look at copies', async ({ signal }) => {
    const { failed } = await lookAtCopies(deps.vaults, vault, current, target, signal);
    return allOf(failed.map((one) => one.failure)) ?? { kind: 'looked' };
  });
}

/** Brings the version that this attempt has just published to all copies. `to`: that version. */
export async function carryPublished(
  work: Carrying,
  current: Current,
  { rotationId, to }: { readonly rotationId: string; readonly to: string },
): Promise<{ readonly kind: 'carried' } | Failure> {
  if (current.policy.also.length === 0) return { kind: 'carried' };
  const { deps, vault, attempt } = work;
  const { name } = current.secret;
  const now = await attempt.step('read back', ({ signal }) => readCurrent(deps, vault, name, signal));
  if (isFailure(now)) return now;
  if (now.kind !== 'current' || now.stamp?.rotationId !== rotationId)
    return failure('newer-version', { secret: name, detail: 'its copies were left as they are' });
  // Somebody may have written another version with the same tags since.
  const carried = await carryDue(work, now, now.secret.version === to);
  return isFailure(carried) ? carried : { kind: 'carried' };
}

/** What is said to whoever asks for a copy: which secret to ask for. A link without consent is a failure. */
export async function askSource(
  work: Carrying,
  { secret, end }: LinkedCurrent,
): Promise<{ readonly kind: 'source'; readonly detail: string } | Failure> {
  const place = { vault: work.vault.name, secret: secret.name };
  const looked = await work.attempt.step('look at source', ({ signal }) => lookAtSource(work.deps, place, end, signal));
  if (isFailure(looked)) return looked;
  const shown = placeText(looked.source);
  const what = end.as === 'copy' ? 'it is a copy of' : 'it is derived from';
  return { kind: 'source', detail: `${what} ${shown} and renewed with it; ask for ${shown}` };
}
