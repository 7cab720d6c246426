/** What is looked at before a rotation is begun for nobody in particular: the freeze, the quarantine, and whether it was done before. */
import type { Attention, Freeze } from '../contract/state.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { SkipReason } from './due.ts';
import { rotationIdOf } from './identifiers.ts';
import type { RotationRequest } from './request.ts';
import type { RotationResult } from './result.ts';

interface Deps {
  readonly engine: Pick<EngineDependencies, 'followUps'>;
  readonly attention: Pick<Attention, 'of'>;
  readonly freeze: Pick<Freeze, 'read'>;
}

export interface Before {
  readonly held?: RotationResult;
  /** No failure of this secret is counted, so that there is none to clear. */
  readonly calm: boolean;
}

/**
 * Only what is automatic is held back; a person who asks has looked. A freeze lets through what stopped half-way: its target may depend
 * on a candidate already. A quarantine does not: it failed the same way each time, and a person was told.
 */
export async function lookBefore(deps: Deps, request: RotationRequest): Promise<Before> {
  if (request.mode !== 'scheduled' && request.mode !== 'resume') return { calm: false };
  const { vault, secret } = request;
  const named = namedRotation(request);
  const [frozen, trouble, followUps] = await Promise.all([
    deps.freeze.read(),
    deps.attention.of(vault, secret),
    named === undefined ? undefined : deps.engine.followUps.done(named),
  ]);
  const about = { rotationId: named ?? request.rotationId ?? '', vault, secret, steps: [] };
  for (const known of [frozen, trouble, followUps]) {
    if (known?.kind === 'failed') return { held: { ...about, kind: 'failed', failure: known }, calm: false };
  }
  const reason = reasonToHold(request, { frozen, trouble, followUps });
  const calm = trouble.kind === 'trouble' && trouble.failures === 0;
  return reason === undefined ? { calm } : { held: { ...about, kind: 'skipped', ...reason }, calm };
}

/**
 * An event names the version it is about, and with it the rotation. Most of a storm are events that come again: when all that they ask
 * for is known to be done, neither lease nor vault is asked. A version that comes back from a backup is found by the sweep, which names
 * none.
 */
function namedRotation({ vault, secret, version, mode, rotationId }: RotationRequest): string | undefined {
  const automatic = mode === 'scheduled' && rotationId === undefined;
  return automatic && version !== undefined ? rotationIdOf(vault, secret, version) : undefined;
}

interface Known {
  readonly frozen: Awaited<ReturnType<Freeze['read']>>;
  readonly trouble: Awaited<ReturnType<Attention['of']>>;
  readonly followUps: Awaited<ReturnType<EngineDependencies['followUps']['done']>> | undefined;
}

function reasonToHold(
  request: RotationRequest,
  { frozen, trouble, followUps }: Known,
): { readonly reason: SkipReason; readonly detail: string } | undefined {
  if (frozen.kind === 'freeze' && frozen.frozen && request.mode === 'scheduled')
    return { reason: 'frozen', detail: `frozen by ${frozen.by ?? 'somebody'}: ${frozen.reason ?? ''}` };
  if (followUps?.kind === 'known' && followUps.done)
    return { reason: 'already-rotated', detail: 'an event before this one asked for the same' };
  if (trouble.kind === 'trouble' && trouble.quarantined)
    return { reason: 'quarantined', detail: `${trouble.failures} failures in a row: ${trouble.last?.message ?? ''}` };
  return undefined;
}
