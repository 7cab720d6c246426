/** What a rotation is for: which requests its version answers, and whether the credential before is to be revoked. */
import type { Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { rotationIdOf } from '../policy/identifiers.ts';
import type { RotationRequest } from '../policy/request.ts';
import { withRequested } from '../policy/requested.ts';
import { actorId } from '../policy/revocation.ts';

export interface Intent {
  /** The id of the request at hand. */
  readonly asked: string;
  /** Ids of requests that the new version answers, the one that counts most first: at most two stand in the stamp. */
  readonly answers: readonly string[];
  /** The id of whoever wants the credential before revoked; undefined: it is retired in its time. */
  readonly revoke: string | undefined;
}

/**
 * Pure. An emergency that stands in the tags makes an emergency of whatever is asked for, and its request comes first: left unanswered it
 * would revoke the credential that was published for it.
 */
export function intentOf(vault: string, current: Current, request: RotationRequest): Intent {
  const { secret, requested } = current;
  const asked = request.rotationId ?? rotationIdOf(vault, secret.name, request.version ?? secret.version);
  const standing = requested.emergency;
  const by = actorId(request.requestedById ?? request.requestedBy);
  return {
    asked,
    answers: [...(standing === undefined ? [] : [standing.rotationId]), ...(request.mode === 'resume' ? [] : [asked])],
    revoke: standing?.by ?? (request.mode === 'emergency' ? by : undefined),
  };
}

/** The intent once a stored candidate was found: its rotation is finished, with all that was meant for it. */
export function withStored(intent: Intent, stored: { readonly rotationId?: string; readonly revoke?: string }): Intent {
  const { rotationId, revoke } = stored;
  return {
    ...intent,
    answers: rotationId === undefined ? intent.answers : [rotationId, ...intent.answers],
    revoke: intent.revoke ?? revoke,
  };
}

/** The two ids of a stamp. */
export function idsOf({ asked, answers }: Intent): { readonly rotationId: string; readonly also?: string } {
  const [rotationId = asked, also] = [...new Set(answers)];
  return { rotationId, ...(also === undefined ? {} : { also }) };
}

/**
 * Writes an emergency down on the current version before anything is done for it, so that whoever comes next finishes it as one. An
 * update, not a creation; nothing where it stands already. May be called again.
 */
export async function writeEmergency(
  vault: Vault,
  current: Current,
  intent: Intent,
  signal: AbortSignal,
): Promise<{ readonly kind: 'stands'; readonly current: Current } | Failure> {
  const { secret, requested } = current;
  if (requested.emergency !== undefined || intent.revoke === undefined) return { kind: 'stands', current };
  const standing = {
    ...requested,
    emergency: { rotationId: intent.asked, by: intent.revoke, at: secret.readAt },
  };
  const tags = withRequested(secret.tags, standing);
  const changed = await vault.change(secret.name, secret.version, { tags }, { signal });
  if (isFailure(changed)) return changed;
  const { updatedAt } = changed.secret;
  return { kind: 'stands', current: { ...current, requested: standing, secret: { ...secret, tags, updatedAt } } };
}
