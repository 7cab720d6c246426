/**
 * How a rotation goes. The order of steps is written here and nowhere else.
 *
 *   lease → read → (revoke what leaked and is not current) → due? → (copies of the rotation before) → (write the emergency down) → prepare →
 *   probe → (look at copies) → wake-up → propose → save pending → apply → verify → publish → confirm → (copies) → follow-ups →
 *   close pending → (revoke) → release
 *
 * Every step may be the last one of this worker. Whoever comes next starts at the top: what has been done and what was meant is found
 * again in the vault and at the target, never in a message or in a memory of the worker before.
 */
import { credentialName } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import { carryDue } from '../copies/carry.ts';
import { type Current, type LinkedCurrent, readCurrent } from '../policy/current.ts';
import { type DueReason, decide, type SkipReason } from '../policy/due.ts';
import type { RotationRequest } from '../policy/request.ts';
import { answers, isRetirementOpen } from '../policy/stamp.ts';
import type { Attempt } from '../running/attempt.ts';
import type { EngineDependencies, Published } from '../running/dependencies.ts';
import { closePending } from '../running/pending.ts';
import type { Target } from '../running/target.ts';
import { underLease } from '../running/under-lease.ts';
import { withWakeUp } from '../running/wake-up.ts';
import { makeAccepted } from './candidate.ts';
import { askSource, carryPublished, holdsRotation } from './copies.ts';
import { madeBefore, publishedAs, publishedNow, rotatedBefore } from './found.ts';
import { type Intent, idsOf, intentOf, withStored, writeEmergency } from './intent.ts';
import { meetLeaked } from './leaked.ts';
import { lookBack } from './overtaken.ts';
import type { Found } from './probe.ts';
import { confirm, publish } from './publish.ts';
import { makeReady } from './ready.ts';
import type { RotationResult } from './result.ts';
import { revokeNow } from './revoke.ts';
import { isUntold, untold } from './untold.ts';

/**
 * Rotates one secret, or says why not. May be called any number of times for one request, at once or after a crash anywhere: they make
 * one new version between them. Never throws for anything a vault, a target or a person did.
 */
export async function rotate(deps: EngineDependencies, request: RotationRequest): Promise<RotationResult> {
  return underLease(deps, request, (vault, attempt) => rotateUnderLease({ deps, vault, request, attempt }));
}

interface Asked {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly request: RotationRequest;
  readonly attempt: Attempt;
}

async function rotateUnderLease(asked: Asked): Promise<RotationResult | Failure> {
  const { deps, vault, request, attempt } = asked;
  const current = await attempt.step('read', ({ signal }) => readCurrent(deps, vault, request.secret, signal));
  if (isFailure(current)) return current;
  if (current.kind === 'opted-out') return skipped(attempt, 'opted-out', 'it has no tag "rotator"');

  if (current.kind === 'linked') return linked(asked, current);

  const { secret, policy } = current;
  const id = intentOf(vault.name, current, request).asked;
  attempt.identify(id);
  attempt.vaultClock(secret.readAt);
  attempt.tellTo(policy.notify);
  attempt.consumersHold({ expiresAt: secret.expiresAt, outlives: strategyTraits[policy.strategy].oldLives });
  const met = await meetLeaked(asked, current, id);
  switch (met.kind) {
    case 'go-on':
      return rotateCurrent({ ...asked, request: met.request }, met.current);
    case 'again':
      return rotateUnderLease(asked);
    default:
      return met;
  }
}

/** What leaked and is not current is ended: what is left is about the current version. */
async function rotateCurrent(asked: Asked, current: Current): Promise<RotationResult | Failure> {
  const { vault, request, attempt } = asked;
  const { secret, stamp, requested, policy } = current;
  const intent = intentOf(vault.name, current, request);
  const facts = { properties: secret, stamp, requested, request, rotationId: intent.asked, now: secret.readAt };
  const decision = decide(facts, policy);
  if (decision.kind === 'skip') {
    if (await isUntold(asked, current, decision.reason)) return finish(asked, current);
    if (decision.reason !== 'already-rotated') {
      const carried = await carryDue(asked, current, false);
      return isFailure(carried) ? carried : skipped(attempt, decision.reason, decision.detail);
    }
    const finished = await finish(asked, current);
    // Who asks again finishes the emergency before. Where that cannot be now, whoever has the current credential may be what stands in its
    // way (every connection is theirs): this emergency is about that credential then.
    if (answers(stamp, intent.asked) || !isFailure(finished) || finished.class !== 'retry') return finished;
    // A copy that is behind stands in nobody's way.
    if (finished.code === 'copy-behind') return finished;
    const isMade = (await madeBefore(vault, request, attempt, current)) !== undefined;
    return isMade ? finished : begin(asked, current, intent, 'emergency');
  }
  const before = await madeBefore(vault, request, attempt, current);
  if (before !== undefined) return before;
  if (stamp?.revoke !== undefined && isRetirementOpen(stamp)) {
    const revoked = await revokeNow(asked, { rotationId: stamp.rotationId });
    if (!isFailure(revoked)) return rotateUnderLease(asked);
    // What a person must make possible does not keep the secret from being rotated: the stamps keep what was meant. Another emergency goes
    // on in any case, as it may be what makes room for this one. But nothing is gone back to before.
    const waits = revoked.class === 'retry' && intent.revoke === undefined;
    if (waits || request.mode === 'roll-back') return revoked;
  }
  const carried = await carryDue(asked, current, false);
  if (isFailure(carried) && holdsRotation(carried, request.mode, intent.revoke !== undefined)) return carried;
  return begin(asked, isFailure(carried) ? current : carried, intent, decision.reason);
}

/** A copy is renewed with its source, whoever asks and for whatever reason. */
async function linked(asked: Asked, current: LinkedCurrent): Promise<RotationResult | Failure> {
  const { attempt } = asked;
  attempt.tellTo(current.end.notify);
  const source = await askSource(asked, current);
  return isFailure(source) ? source : skipped(attempt, 'copy', source.detail);
}

/** The version is there: what follows it is done, where whoever made it died before. */
async function finish(work: Asked, current: Current): Promise<RotationResult | Failure> {
  const { deps, vault, attempt } = work;
  const asked = attempt.about.rotationId;
  const looked = await attempt.step('look back', ({ signal }) => lookBack(vault, current, asked, signal));
  if (isFailure(looked)) return looked;
  const copies = await carryDue(work, current, false);
  const warnings = [...looked.warnings, ...(await untold(work, looked.before))];
  const about = { ...publishedAs(current, attempt, warnings), ...unfinishedAfter(copies) };
  attempt.published(about);
  const followed = await attempt.step('follow up', () => deps.followUps.published(about, true));
  if (isFailure(followed)) return followed;
  if (current.stamp?.revoke !== undefined && isRetirementOpen(current.stamp)) {
    const answering = looked.answered ? {} : { answering: asked };
    const revoked = await revokeNow(work, { rotationId: current.stamp.rotationId, ...answering });
    if (isFailure(revoked)) return revoked;
    return isFailure(copies) ? copies : rotatedBefore(current, attempt, about, 'finished');
  }
  if (isFailure(copies)) return copies;
  return rotatedBefore(current, attempt, about, followed.before ? 'seen' : 'finished');
}

/** Follow-ups that were done are not looked at again, so they are not done before the copies are. */
function unfinishedAfter(copies: { readonly kind: string }): Pick<Published, 'unfinished'> {
  return isFailure(copies) ? { unfinished: true } : {};
}

async function begin(
  asked: Asked,
  read: Current,
  intent: Intent,
  reason: DueReason,
): Promise<RotationResult | Failure> {
  const { vault, request, attempt } = asked;
  if (intent.revoke !== undefined && request.mode === 'roll-back') {
    const detail = 'an emergency was asked for, which replaces and revokes the current credential';
    return failure('roll-back-impossible', { secret: read.secret.name, detail });
  }
  // What is asked for in a message is gone with the message; ordinary rotations have nothing to write down.
  const standing =
    intent.revoke === undefined
      ? { kind: 'stands' as const, current: read }
      : await attempt.step('write down', ({ signal }) => writeEmergency(vault, read, intent, signal));
  if (isFailure(standing)) return standing;
  const { current } = standing;
  const about = { rotationId: intent.asked, emergency: intent.revoke !== undefined };
  const ready = await makeReady(asked, current, about);
  if (ready.kind !== 'ready') return ready;
  const { target, found } = ready;
  return replace({ ...asked, current: ready.current, target, reason, intent: withStored(intent, found) }, found);
}

interface Replacement extends Asked {
  readonly current: Current;
  readonly target: Target;
  readonly reason: DueReason;
  readonly intent: Intent;
}

/** From here on things change: first at the target, then in the vault. */
async function replace(work: Replacement, found: Found): Promise<RotationResult | Failure> {
  const { deps, request, attempt } = work;
  // Before the first change, so that a crash is healed a lease later and not when the platform gives the message back.
  const wakeUp = () => deps.wakeUps.set(toWakeUp(request));
  return withWakeUp(attempt, wakeUp, async () => {
    const orphan = await revokeOrphan(work, found);
    if (isFailure(orphan)) return orphan;
    // An emergency that stands is begun by whoever comes, and where it meets a full target nothing is known of the stored candidate.
    if (request.mode === 'resume' && found.stored === undefined && work.intent.revoke === undefined)
      return nothingToResume(work, found);
    return replaceNow(work, found);
  });
}

/** Finishes what was stored, also where somebody else's version is current by then, or somebody has paused the secret since. */
function toWakeUp({ askedAt: _any, ...request }: RotationRequest): RotationRequest {
  const { vault, secret, requestedBy } = request;
  return request.mode === 'scheduled' ? { vault, secret, requestedBy, mode: 'resume' } : request;
}

async function replaceNow(work: Replacement, found: Found): Promise<RotationResult | Failure> {
  const { deps, vault, attempt, current, target, intent } = work;
  const accepted = await makeAccepted({ ...work, ...idsOf(intent), revoke: intent.revoke }, found);
  if (isFailure(accepted)) return accepted;

  const { credential, warnings, lastsMs, pendingVersion } = accepted;
  const draft = { ...idsOf(intent), credential, revoke: intent.revoke, lastsMs, asItIs: found.asItIs };
  const published = await attempt.step('publish', async ({ signal }) => {
    await attempt.secondAfter(current.secret.updatedAt, signal);
    return publish(vault, current, target, draft, signal);
  });
  const confirmed = await attempt.step('confirm', ({ signal }) =>
    confirm(vault, current, draft, published, deps.wait, signal),
  );
  if (isFailure(confirmed)) return confirmed;

  // Its consumers wait for nobody, so what could not be brought to a copy is said after all else was done.
  const copies = await carryPublished(work, current, { ...draft, ...confirmed });
  const told = [...warnings, ...confirmed.warnings, ...(await untold(work, confirmed.before))];
  const made = publishedNow(current, attempt, { ...draft, ...confirmed, warnings: told });
  const about = { ...made, ...unfinishedAfter(copies) };
  attempt.published(about);
  const followed = await attempt.step('follow up', () => deps.followUps.published(about, false));
  if (isFailure(followed)) return followed;
  if (pendingVersion !== undefined) await close(work, pendingVersion);
  if (draft.revoke !== undefined) {
    const { rotationId } = draft;
    const answering = attempt.about.rotationId;
    const revoked = await revokeNow(work, { rotationId, answering, proven: true, isWoken: true });
    if (isFailure(revoked)) return revoked;
  }
  if (isFailure(copies)) return copies;
  const { from, to, retireBy, expiresAt } = about;
  return {
    ...attempt.about,
    ...{ kind: 'rotated', from, to, reason: work.reason, strategy: current.policy.strategy },
    login: credentialName(credential),
    ...(retireBy === undefined ? {} : { retireBy }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    warnings: about.warnings,
    steps: attempt.steps,
  };
}

/** A key that was issued and stored, and that somebody's own version overtook: nobody will publish it, so it must not live. */
async function revokeOrphan(work: Replacement, { orphan }: Found) {
  if (orphan === undefined) return { kind: 'none' as const };
  const { attempt, target } = work;
  const revoked = await attempt.step('revoke orphan', (time) =>
    target.rotator.retire(target.stepFor(time), orphan.credential),
  );
  return isFailure(revoked) ? revoked : close(work, orphan.version);
}

/** The rotation that stored the candidate is over; what is left of it is closed. */
async function nothingToResume(work: Replacement, { pendingVersion, overtaken, live }: Found) {
  const { attempt, current, target } = work;
  const nothing = skipped(attempt, 'not-due', 'no stored candidate waits to be published');
  if (pendingVersion === undefined) return nothing;
  // The published credential was seen to log in, but a target may go by an old copy of the login for a while: it is made sure before the
  // candidate, which the target may have taken, is thrown away.
  if (overtaken === true && strategyTraits[current.policy.strategy].pending === 'before-apply') {
    const sure = await attempt.step('make sure', (time) =>
      target.rotator.apply(target.stepFor(time), target.credential, live),
    );
    if (isFailure(sure)) return sure;
  }
  const closed = await close(work, pendingVersion);
  return isFailure(closed) ? closed : nothing;
}

async function close({ vault, attempt, current }: Replacement, version: string) {
  return attempt.step('close pending', ({ signal }) => closePending(vault, current.secret.name, version, signal));
}

function skipped(attempt: Attempt, reason: SkipReason, detail: string): RotationResult {
  return { ...attempt.about, kind: 'skipped', reason, detail, steps: attempt.steps };
}
