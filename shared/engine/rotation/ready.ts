/** Everything that is looked at before the first change: which credential takes the place of the current one, and whether it may. */
import type { Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { RotationRequest } from '../policy/request.ts';
import type { Attempt } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import type { Skipped } from '../running/result.ts';
import { prepare, type Target } from '../running/target.ts';
import { refuseShared, refuseUsed } from '../sharing/refuse.ts';
import { lookFirst } from './copies.ts';
import { type Found, probe, type RefusedBefore } from './probe.ts';
import { findRepair } from './repair.ts';
import { probeEarlier } from './roll-back.ts';

interface Asked {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly request: RotationRequest;
  readonly attempt: Attempt;
}

export interface Ready {
  readonly kind: 'ready';
  /** The version whose value is written on: the current one, or the one that a repair goes back to. */
  readonly current: Current;
  readonly target: Target;
  readonly found: Found;
}

type About = Parameters<typeof prepare>[3];

/** Reads the vault and asks the target. Changes neither. */
export async function makeReady(asked: Asked, current: Current, about: About): Promise<Ready | Skipped | Failure> {
  const { deps, vault, request, attempt } = asked;
  let refused: readonly RefusedBefore[] = [];
  if (request.mode === 'repair' && !about.emergency) {
    const work = { deps, vault, current, asked: about, request };
    const repair = await attempt.step('find repair', (time) => findRepair(work, time));
    if (isFailure(repair)) return repair;
    const detail = 'its current version logs in';
    if (repair.kind === 'healthy')
      return { ...attempt.about, kind: 'skipped', reason: 'not-due', detail, steps: attempt.steps };
    if (repair.kind === 'found')
      return { kind: 'ready', current: repair.current, target: repair.target, found: asItIs(repair.target) };
    refused = repair.refused;
  }
  const target = await attempt.step('prepare', ({ signal }) => prepare(deps, vault, current, about, signal));
  if (isFailure(target)) return target;
  const found = await attempt.step('probe', (time) =>
    request.mode === 'roll-back'
      ? probeEarlier(vault, current, target, request, time)
      : probe(vault, current, target, { mode: probeMode(request), refused }, time),
  );
  if (isFailure(found)) return found;
  const looked = await lookFirst(asked, current, target, { mode: request.mode, found, isEmergency: about.emergency });
  if (isFailure(looked)) return looked;
  const alone = await standsAlone(asked, current, target, found, about.emergency);
  return isFailure(alone) ? alone : { kind: 'ready', current, target, found };
}

/** A credential that logs in as it is: nothing is changed at the target, and its proof is its login. */
function asItIs({ credential }: Target): Found {
  return { kind: 'found', fixed: true, asItIs: true, stored: credential, live: credential };
}

/** What a tag asks for has no id of its own, and no admin acts on it: a repair that nobody asked for finds a version that logs in, or fails. */
function probeMode({ mode, rotationId }: RotationRequest): RotationRequest['mode'] {
  return mode === 'repair' && rotationId === undefined ? 'asked' : mode;
}

/** What an attempt before has begun is finished: the target may depend on the stored candidate. */
async function standsAlone(
  { deps, vault, attempt }: Asked,
  current: Current,
  target: Target,
  found: Found,
  emergency: boolean,
): Promise<{ readonly kind: 'alone' } | Failure> {
  if (found.stored !== undefined && found.pendingVersion !== undefined) return { kind: 'alone' };
  const work = { deps, vault, current, target };
  const shared = await attempt.step('shared', (time) => refuseShared(work, time));
  if (isFailure(shared) || emergency || found.fixed === true || current.stamp?.retireBy !== undefined) return shared;
  return attempt.step('idle login', (time) => refuseUsed(work, time));
}
