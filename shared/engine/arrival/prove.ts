/**
 * A version that Keyturn did not make: does its credential log in?
 *
 *   lease → read → prepare → prove → what is unfinished goes on → (refused: was it written back?) → release
 *
 * Under the lease of everything else: in the middle of a rotation in place a refusal says nothing about the version.
 */
import type { Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { type Current, readCurrent } from '../policy/current.ts';
import type { Listed } from '../policy/origin.ts';
import type { Policy } from '../policy/policy.ts';
import { isPaused, readRequested } from '../policy/requested.ts';
import { ask } from '../running/ask.ts';
import type { Attempt } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import type { Attempted, Failed, Skipped } from '../running/result.ts';
import { prepare } from '../running/target.ts';
import { underLease } from '../running/under-lease.ts';
import { goOn } from './go-on.ts';
import { findWrittenBack, type WrittenBack } from './written-back.ts';

/** Its credential logs in: it is the current one from now on. */
export interface Adopted extends Attempted {
  readonly kind: 'adopted';
  readonly version: string;
}

/** The target answered and said no, or the value holds no credential that could be tried. */
export interface Refused extends Attempted {
  readonly kind: 'refused';
  readonly version: string;
  readonly detail: string;
  /** Earlier versions with the same credential. */
  readonly writtenBack: WrittenBack;
  readonly onForeignVersion: Policy['onForeignVersion'];
}

export type ArrivalResult = Adopted | Refused | Skipped | Failed;

export interface Arrival {
  readonly vault: string;
  readonly secret: string;
  readonly version: string;
  /** All versions of the secret, newest first. */
  readonly versions: readonly Listed[];
  /** The one that it replaced. */
  readonly before: Listed | undefined;
}

/** Proves one version by a login. May be called again. Changes nothing at the target, and only the tags of the version in the vault. */
export async function prove(deps: EngineDependencies, arrival: Arrival): Promise<ArrivalResult> {
  return underLease<Adopted | Refused | Skipped>(deps, arrival, (vault, attempt) =>
    proveUnderLease({ deps, vault, attempt, arrival }),
  );
}

interface Work {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly attempt: Attempt;
  readonly arrival: Arrival;
}

async function proveUnderLease(work: Work): Promise<Adopted | Refused | Skipped | Failure> {
  const { deps, vault, attempt, arrival } = work;
  const current = await attempt.step('read', ({ signal }) => readCurrent(deps, vault, arrival.secret, signal));
  if (isFailure(current)) return current;
  if (current.kind === 'opted-out') return skipped(attempt, 'opted-out', 'it has no tag "rotator"');
  attempt.tellTo(current.policy.notify);
  if (current.secret.version !== arrival.version)
    return skipped(attempt, 'superseded', `version ${arrival.version} is no longer current`);
  const asked = { rotationId: '', emergency: false };
  const target = await attempt.step('prepare', ({ signal }) => prepare(deps, vault, current, asked, signal));
  if (isFailure(target)) {
    const unreadable = target.code === 'value-unreadable';
    return unreadable ? refused(work, current, target.message, { kind: 'looked', versions: [] }) : target;
  }
  const { credential } = target;
  const answer = await attempt.step('prove', (time) => ask(current, target, credential, time));
  if (isFailure(answer)) return answer;
  const { accepted, detail } = answer;
  const { before, version, versions } = arrival;
  const gone = await attempt.step('go on', ({ signal }) =>
    goOn(vault, current, credential, { before, accepted }, signal),
  );
  if (isFailure(gone)) return gone;
  if (accepted) return { ...attempt.about, kind: 'adopted', version, steps: attempt.steps };
  const found = await attempt.step('look back', ({ signal }) =>
    findWrittenBack(vault, current, credential, versions, signal),
  );
  return isFailure(found) ? found : refused(work, current, detail, found);
}

function refused(
  { attempt, arrival }: Work,
  { policy, requested, secret: { readAt } }: Current,
  detail: string,
  writtenBack: WrittenBack,
): Refused {
  const { version, before } = arrival;
  // A person wants no automatic work on it; the new version may not say so yet.
  const isHeld = isPaused(requested, readAt) || isPaused(readRequested(before?.tags ?? {}), readAt);
  const onForeignVersion = isHeld ? 'report' : policy.onForeignVersion;
  return { ...attempt.about, kind: 'refused', version, detail, writtenBack, onForeignVersion, steps: attempt.steps };
}

function skipped(attempt: Attempt, reason: Skipped['reason'], detail: string): Skipped {
  return { ...attempt.about, kind: 'skipped', reason, detail, steps: attempt.steps };
}
