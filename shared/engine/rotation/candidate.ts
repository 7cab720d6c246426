/** From "what logs in now" to "the new credential logs in": propose, save pending, apply, verify. */
import { type Credential, credentialName } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import type { Step } from '../../contract/rotator.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { revokedOf } from '../policy/stamp.ts';
import { unreachable } from '../running/ask.ts';
import type { Attempt } from '../running/attempt.ts';
import { closePending, savePending } from '../running/pending.ts';
import { type Target, valueWith } from '../running/target.ts';
import type { Found } from './probe.ts';

/** How often a target may refuse a candidate before a person must look. */
const mostRounds = 3;

/** A credential that the target was seen to accept. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly credential: Credential;
  readonly warnings: readonly string[];
  /** How long the target lets it log in, in ms, where it has such a rule. */
  readonly lastsMs?: number;
  /** The stored candidate, to be disabled once it is published. */
  readonly pendingVersion?: string;
}

interface Work {
  readonly vault: Vault;
  readonly current: Current;
  readonly target: Target;
  readonly attempt: Attempt;
  readonly rotationId: string;
  readonly also?: string;
  /** The id of whoever wants the credential before revoked. */
  readonly revoke: string | undefined;
}

/**
 * Makes the target accept a new credential and sees it log in. A stored candidate is applied again, whatever the target has of it already:
 * apply looks first, and what an attempt before left half done (a change that was not saved, a second password) is found there.
 */
export async function makeAccepted(work: Work, found: Found): Promise<Accepted | Failure> {
  let outcome = await oneRound(work, found, false);
  const rounds = found.fixed === true ? 1 : mostRounds;
  for (let round = 1; isFailure(outcome) && outcome.class === 'refused' && round < rounds; round++) {
    outcome = await oneRound(work, found, true);
  }
  return outcome;
}

interface Applied {
  readonly kind: 'applied';
  readonly credential: Credential;
  readonly warnings: readonly string[];
  readonly lastsMs?: number;
  readonly pendingVersion?: string;
}

async function oneRound(work: Work, found: Found, again: boolean): Promise<Accepted | Failure> {
  if (found.asItIs === true) return prove(work, { kind: 'applied', credential: found.live, warnings: [] });
  const { pending } = strategyTraits[work.current.policy.strategy];
  const stored = again || found.stored === undefined ? undefined : found;
  const proposed =
    stored?.stored === undefined ? await propose(work) : { kind: 'proposed' as const, credential: stored.stored };
  if (isFailure(proposed)) return proposed;
  const candidate = proposed.credential;

  // A credential to go back to stands in an old version, where nobody who comes next would look for it.
  const toStore = pending === 'before-apply' && stored?.pendingVersion === undefined;
  const saved = toStore ? await save(work, candidate) : versionOf(stored);
  if (isFailure(saved)) return saved;

  const applied = await work.attempt.step('apply', (time) =>
    work.target.rotator.apply(work.target.stepFor(time), candidate, found.live),
  );
  if (isFailure(applied))
    return applied.class === 'refused' ? giveUp(work, found, { ...saved, candidate }, applied) : applied;
  work.attempt.applied();

  const toKeep = pending === 'after-apply' && saved.pendingVersion === undefined;
  const kept = toKeep ? await save(work, applied.credential) : saved;
  if (isFailure(kept)) return kept;

  const result = await verified(work, { ...kept, ...applied, warnings: applied.warnings ?? [] });
  if (isFailure(result) && result.class !== 'retry') await goBack(work, found, applied.credential);
  return result;
}

/**
 * The target did not take the change, by a rule of its own: the candidate is never sent again. One that logs in stays, whatever was said of it
 * now: an attempt before had it taken, and no other version holds it.
 */
async function giveUp(
  { vault, attempt, current }: Work,
  { live }: Found,
  { candidate, pendingVersion }: Stored & { readonly candidate: Credential },
  refused: Failure,
): Promise<Failure> {
  const isStored = strategyTraits[current.policy.strategy].pending === 'before-apply' && pendingVersion !== undefined;
  if (!isStored || live.password.equals(candidate.password)) return refused;
  const { name } = current.secret;
  await attempt.step('close pending', ({ signal }) => closePending(vault, name, pendingVersion, signal));
  return refused;
}

/** A stored candidate, by its version. `pendingVersion` is absent where the strategy stores none. */
interface Stored {
  readonly kind: 'stored';
  readonly pendingVersion?: string;
}

function versionOf(found: { readonly pendingVersion?: string } | undefined): Stored {
  return { kind: 'stored', ...(found?.pendingVersion === undefined ? {} : { pendingVersion: found.pendingVersion }) };
}

async function propose(work: Work): Promise<{ readonly kind: 'proposed'; readonly credential: Credential } | Failure> {
  const { target, current } = work;
  return work.attempt.step('propose', async (time) => {
    const candidate = target.rotator.propose(target.stepFor(time), target.credential);
    if ('kind' in candidate) return candidate;
    // Seen now, while nothing is touched: a value that has no place for the candidate. A key that the provider issues is seen later.
    const replaced = candidate.password.isEmpty ? undefined : valueWith(current, target, candidate);
    return replaced !== undefined && isFailure(replaced) ? replaced : { kind: 'proposed', credential: candidate };
  });
}

async function save(work: Work, candidate: Credential): Promise<Stored | Failure> {
  const { vault, current, target, attempt } = work;
  const { rotationId, revoke } = work;
  const draft = { rotationId, credential: candidate, ...(revoke === undefined ? {} : { revoke }) };
  return attempt.step('save pending', ({ signal }) => savePending(vault, current, target, draft, signal));
}

async function verified(work: Work, applied: Applied): Promise<Accepted | Failure> {
  const proven = await prove(work, applied);
  if (!isFailure(proven) || proven.class !== 'retry' || !mayMakeRoom(work)) return proven;
  // Whoever holds the leaked credential may hold every connection there is. It is ended in any case, so it is ended now.
  // From here on it is the candidate that must go on working: what is published leaked, and a pool that is cut must not get in with it.
  const { target, attempt } = work;
  const room = await attempt.step('make room', (time) =>
    target.rotator.retire({ ...target.stepFor(time), current: applied.credential }, target.credential),
  );
  return isFailure(room) ? proven : prove(work, applied);
}

/** Sessions are held by a login; and only an admin gets in where every connection of the login is taken. */
function mayMakeRoom({ current, target, revoke }: Work): boolean {
  return revoke !== undefined && current.policy.admin.kind !== 'self' && target.credential.username !== undefined;
}

async function prove(work: Work, applied: Applied): Promise<Accepted | Failure> {
  const { target, current, attempt } = work;
  return attempt.step('verify', async (time): Promise<Accepted | Failure> => {
    const step = target.stepFor(time);
    const outcome = await target.rotator.verify(step, applied.credential);
    switch (outcome.kind) {
      case 'accepted':
        return { ...applied, kind: 'accepted' };
      case 'refused':
        return failure('candidate-refused', { ...names(step, applied.credential), detail: outcome.detail });
      case 'lesser-rights':
        return failure('lesser-rights', { ...names(step, applied.credential), detail: outcome.missing.join(', ') });
      case 'unreachable':
        return unreachable(current, target, outcome.detail, time);
      case 'failed':
        return outcome;
    }
  });
}

function names(step: Step, credential: Credential): { secret: string; target: string; login: string } {
  return { secret: step.secret, target: step.endpoint.host, login: credentialName(credential) };
}

/**
 * What was there before is put back, as far as it is wanted: never a credential that leaked or that somebody revoked. The failure that led
 * here is what people are told.
 */
async function goBack(work: Work, found: Found, refused: Credential): Promise<void> {
  const { current, revoke } = work;
  if (revoke !== undefined || revokedOf(current.secret.tags) !== undefined) return;
  const { oldLives, chosen, hasTarget, perLogin } = strategyTraits[current.policy.strategy];
  const isFixed = found.fixed === true;
  if (!oldLives || isFixed) await restore(work, refused);
  else if (chosen && hasTarget) await takeBack(work, refused, perLogin);
}

/**
 * A login whose password was replaced in place and that does not log in with it is an outage: the published password is put back where
 * the admin can. On the way back to an earlier version it is put back too: the current one is what consumers read. Whether the published
 * one still logs in is not asked: a target may go by an old copy of the login for a while, and say so when it is no longer true.
 */
async function restore(work: Work, refused: Credential): Promise<void> {
  const { target, attempt } = work;
  await attempt.step('restore', (time) => target.rotator.apply(target.stepFor(time), target.credential, refused));
}

/** The published credential lives beside the candidate, which no version holds and nobody comes back to: it is ended again. */
async function takeBack(work: Work, refused: Credential, perLogin: boolean): Promise<void> {
  const { target, attempt } = work;
  // Where one login holds both, what is ended is what is not its first one.
  if (!perLogin) await restore(work, refused);
  await attempt.step('take back', (time) => target.rotator.retire(target.stepFor(time), refused));
}
