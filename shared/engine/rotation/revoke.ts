/** The end of an old credential within a rotation: in an emergency now, under the same lease, and not when a queue gets to it. */
import type { Vault } from '../../contract/ports.ts';
import type { Failure } from '../../errors.ts';
import type { RotationRequest } from '../policy/request.ts';
import type { RetirementRequest } from '../retirement/request.ts';
import type { RetirementResult } from '../retirement/result.ts';
import { retireUnderLease } from '../retirement/retire.ts';
import type { Attempt } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import { withWakeUp } from '../running/wake-up.ts';

interface Asked {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly request: RotationRequest;
  readonly attempt: Attempt;
}

interface Revoking {
  /** The request that the version answers once it is done. */
  readonly answering?: string;
  /** The current credential was seen to log in by this very attempt. */
  readonly proven?: boolean;
  /** Somebody comes back to the request already, should this worker die. */
  readonly isWoken?: boolean;
}

/** What the stamp of that rotation says is to be revoked. */
export async function revokeNow(
  asked: Asked,
  { rotationId, ...more }: Revoking & { readonly rotationId: string },
): Promise<RetirementResult | Failure> {
  const { vault, request } = asked;
  const { secret, requestedBy } = request;
  return endFor(asked, { vault: vault.name, secret, rotationId, mode: 'scheduled', requestedBy }, more);
}

/**
 * A person asked for the rotation and waits for it, so that is what somebody comes back to. An event is not looked at again once people were
 * told of the version: then it is the end itself.
 */
export async function endFor(
  { deps, vault, request, attempt }: Asked,
  retirement: RetirementRequest,
  { isWoken = false, ...more }: Revoking = {},
): Promise<RetirementResult | Failure> {
  const work = { deps, vault, attempt, request: retirement, ...more };
  if (isWoken || request.rotationId === undefined) return retireUnderLease({ ...work, isWoken });
  return withWakeUp(
    attempt,
    () => deps.wakeUps.set(request),
    () => retireUnderLease({ ...work, isWoken: true }),
  );
}
