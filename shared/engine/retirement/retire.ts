/**
 * How an old credential ends. Like a rotation, the order is written once, here:
 *
 *   lease → read → (write the revocation down) → (copies) → prepare → old versions → evidence → wake-up → retire → prove refused →
 *   disable → (end copies) → mark → (copies) → release
 *
 * Whether the old credential is retired or revoked stands in the stamp, and whoever runs it does it that way.
 */

import { type Credential, credentialName } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { carryDue, type Held } from '../copies/carry.ts';
import { endCopies } from '../copies/end.ts';
import { type Current, readCurrent } from '../policy/current.ts';
import { shortHash } from '../policy/identifiers.ts';
import { placeText, sourceOf } from '../policy/links.ts';
import { actorId } from '../policy/revocation.ts';
import { answers, readStamp, type Stamp, withStamp } from '../policy/stamp.ts';
import type { Attempt } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import { adminSeesAll } from '../running/hosts.ts';
import { type LastManaged, readLastManaged } from '../running/last-managed.ts';
import { isCurrentAgain } from '../running/previous.ts';
import { prepare, type Target } from '../running/target.ts';
import { underLease } from '../running/under-lease.ts';
import { withWakeUp } from '../running/wake-up.ts';
import { refuseShared } from '../sharing/refuse.ts';
import { carryMarked, missingAtCopies, namedAtCopies, replacedBy, settleBeforeEnd } from './copies.ts';
import { type Ending, endAll, isPublished } from './end.ts';
import { type Holding, judgeEvidence } from './evidence.ts';
import { asEmergency, endLeaked } from './leaked.ts';
import { mark } from './mark.ts';
import { type Old, readOld } from './old.ts';
import type { RetirementRequest } from './request.ts';
import type { Retired, RetirementResult } from './result.ts';

/** Everything a retirement works with. */
interface Work {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly attempt: Attempt;
  readonly request: RetirementRequest;
  /** A request that the version answers once the old credential is dead. */
  readonly answering?: string;
  /** The current credential was seen to log in by this very attempt. */
  readonly proven?: boolean;
  /** Somebody comes back to what this is a part of, should this worker die. */
  readonly isWoken?: boolean;
}

/**
 * Ends the credential that the current version replaced, or says who is still on it. May be called any number of times: what is dead
 * already stays dead, and the old version is disabled once.
 */
export async function retire(deps: EngineDependencies, request: RetirementRequest): Promise<RetirementResult> {
  return underLease(deps, request, (vault, attempt) => retireUnderLease({ deps, vault, attempt, request }));
}

/** The same for a worker that holds the lease already: an emergency rotation ends the old credential itself. */
export async function retireUnderLease(work: Work): Promise<RetirementResult | Failure> {
  const { deps, vault, attempt, request } = work;
  const read = await attempt.step('read', ({ signal }) => readCurrent(deps, vault, request.secret, signal));
  if (isFailure(read)) return read;
  if (read.kind === 'linked')
    return notNow(attempt, 'copy', `it is renewed with ${placeText(sourceOf(read.end, vault.name))}; ask for that one`);
  const managed =
    read.kind === 'opted-out'
      ? await attempt.step('last managed', ({ signal }) => readLastManaged(deps, vault, request.secret, signal))
      : { kind: 'managed' as const, current: read, at: undefined };
  if (isFailure(managed)) return managed;
  if (managed.kind === 'none') return notNow(attempt, 'opted-out', 'it has no tag "rotator"');
  attempt.tellTo(managed.current.policy.notify);
  attempt.vaultClock(managed.current.secret.readAt);
  const open = await whatIsOpen(work, managed.current);
  if (open.kind !== 'open') {
    // Its end is over or nobody's, and what it left to do for copies is not.
    const isLeft = open.kind === 'skipped' && managed.at === undefined;
    const left = isLeft ? await carryDue(work, managed.current, false) : managed.current;
    return isFailure(left) ? left : open;
  }
  const { stamp } = open;
  const emergency = stamp.revoke !== undefined;
  const isOver = emergency || open.current.secret.readAt >= stamp.retireBy;
  const settled = await settleBeforeEnd(work, open.current, { isEmergency: emergency, isOver });
  if (isFailure(settled)) return settled;
  const { current, held } = settled;

  const asked = { rotationId: stamp.rotationId, emergency };
  const target = await attempt.step('prepare', ({ signal }) => prepare(deps, vault, current, asked, signal));
  if (isFailure(target)) return target;
  const old = await attempt.step('old versions', (time) => readOld(vault, current, target, stamp, time));
  if (isFailure(old)) return old;

  const holding = await findHolding(work, current, target, { previous: old.versions[0]?.credential, isOver, held });
  if (isFailure(holding)) return holding;
  const named = current.policy.consumers.length + namedAtCopies(held);
  const mode = emergency ? 'emergency' : request.mode;
  const evidence = judgeEvidence(mode, holding, named, stamp.retireBy, current.secret.readAt);
  if (evidence === 'wait') {
    const leftMs = stamp.retireBy.getTime() - current.secret.readAt.getTime();
    return { ...attempt.about, kind: 'waiting', holding, retireBy: stamp.retireBy, leftMs, steps: attempt.steps };
  }

  const alone = await attempt.step('shared', (time) => refuseShared({ deps, vault, current, target }, time));
  if (isFailure(alone)) return alone;
  const ending = { current, at: managed.at, target, stamp, versions: old.versions };
  const end = () => endNow(work, ending, { evidence, cut: holding });
  if (work.isWoken === true) return end();
  // Whoever follows a worker that dies here must not wait for the platform to give its message back.
  return withWakeUp(attempt, () => deps.wakeUps.setForEnd({ ...request, rotationId: stamp.rotationId }), end);
}

interface EndingNow {
  readonly current: Current;
  readonly at: LastManaged['at'];
  readonly target: Target;
  readonly stamp: OpenStamp;
  readonly versions: readonly Old[];
}

/** From here on things change: first at the target, then in the vault. */
async function endNow(
  work: Work,
  { current, at, target, stamp, versions }: EndingNow,
  allowed: Pick<Retired, 'evidence' | 'cut'>,
): Promise<RetirementResult | Failure> {
  const { vault, attempt } = work;
  const ended = await endAll(work, current, target, versions);
  if (isFailure(ended)) return ended;
  const closed = await endCopies(work, current, replacedBy(versions, current.secret.readAt));
  if (isFailure(closed)) return closed;
  const isCurrent = ({ credential }: Ending) => isPublished(credential, target);
  const left = asEmergency(vault, current, versions.filter(isCurrent));
  const marked = await attempt.step('mark', ({ signal }) => mark(work, { current: left, at }, target, stamp, signal));
  if (isFailure(marked)) return marked;
  const carried = await carryMarked(work, current);
  if (isFailure(carried)) return carried;
  return {
    ...attempt.about,
    kind: 'retired',
    ...allowed,
    logins: versions.filter((each) => !isCurrent(each)).map(({ credential }) => credentialName(credential)),
    sessionsEnded: ended.sessionsEnded,
    sessionsGoOn: ended.sessionsGoOn,
    proofs: ended.proofs,
    steps: attempt.steps,
  };
}

type Open = { readonly kind: 'open'; readonly current: Current; readonly stamp: OpenStamp };
type OpenStamp = Stamp & { readonly retireBy: Date };

/**
 * What is left to end. Whoever wants it revoked although it was not made in an emergency has that written into the stamp first: sessions of
 * a credential that was retired in peace live on, and a crash must not make an ordinary end of it.
 */
async function whatIsOpen(work: Work, current: Current): Promise<Open | RetirementResult | Failure> {
  const { vault, attempt, request } = work;
  const { stamp } = current;
  const isPast = stamp === undefined || !answers(stamp, request.rotationId);
  if (isPast && request.mode === 'emergency') return endSuperseded(work, current);
  if (stamp === undefined) return notNow(attempt, 'nothing-to-retire', 'its current version was not made by Keyturn');
  if (!answers(stamp, request.rotationId)) {
    return notNow(attempt, 'superseded', 'a newer rotation retires what is left');
  }
  if (request.mode === 'emergency' && stamp.revoke === undefined) {
    const held = await attempt.step('old version', ({ signal }) => isCurrentAgain(vault, current, stamp.from, signal));
    if (isFailure(held)) return held;
    const detail = `version ${stamp.from} holds the credential that is current: an emergency replaces and revokes it`;
    return held.held ? notNow(attempt, 'nothing-to-retire', detail) : writeRevocation(work, current, stamp);
  }
  if (stamp.retireBy === undefined)
    return notNow(attempt, 'nothing-to-retire', 'the previous credential died when it was replaced');
  if (stamp.retired === true) return notNow(attempt, 'already-retired', 'it was proven refused before');
  return { kind: 'open', current, stamp: { ...stamp, retireBy: stamp.retireBy } };
}

/**
 * Whoever forces the end of a credential means that one. It is revoked also where the rotation that replaced it was replaced itself before
 * anybody got to it.
 */
async function endSuperseded(work: Work, current: Current): Promise<RetirementResult | Failure> {
  const { vault, attempt, request } = work;
  const { secret, stamp } = current;
  const listed = await attempt.step('look back', ({ signal }) => vault.versions(secret.name, { signal }));
  if (isFailure(listed)) return listed;
  const made = listed.versions.find(({ tags }) => answers(readStamp(tags), request.rotationId));
  const version = made === undefined ? undefined : readStamp(made.tags)?.from;
  if (version === undefined) return notNow(attempt, 'superseded', 'no version was made by that rotation');
  const by = actorId(request.requestedById ?? request.requestedBy);
  const rotationId = shortHash('forced', request.rotationId);
  const outcome = await endLeaked(work, current, { rotationId, version, by, at: secret.readAt }, listed.versions);
  switch (outcome.kind) {
    case 'failed':
      return outcome;
    case 'missing':
      return notNow(attempt, 'superseded', `version ${version} is no longer there`);
    case 'current':
      return notNow(attempt, 'nothing-to-retire', `version ${version} holds the credential that is current`);
    case 'replaced':
      return retireUnderLease({ ...work, request: { ...request, rotationId: stamp?.rotationId ?? '' } });
    case 'revoked': {
      if (outcome.ended === undefined) return notNow(attempt, 'already-retired', 'it was revoked before');
      const { kind: _ended, ...ended } = outcome.ended;
      const cut = { sessions: [], consumers: [], known: true };
      const { steps } = attempt;
      return {
        ...attempt.about,
        kind: 'retired',
        evidence: 'emergency',
        cut,
        logins: [outcome.login],
        ...ended,
        steps,
      };
    }
  }
}

async function writeRevocation(
  { vault, attempt, request }: Work,
  current: Current,
  { retired: _again, ...stamp }: Stamp,
): Promise<Open | Failure> {
  const { secret } = current;
  const { retireBy = secret.readAt } = stamp;
  const revoke = actorId(request.requestedById ?? request.requestedBy);
  const open = { ...stamp, revoke, retireBy: new Date(Math.min(retireBy.getTime(), secret.readAt.getTime())) };
  const tags = withStamp(secret.tags, open);
  const changed = await attempt.step('write down', ({ signal }) =>
    vault.change(secret.name, secret.version, { tags }, { signal }),
  );
  if (isFailure(changed)) return changed;
  const { updatedAt } = changed.secret;
  return { kind: 'open', stamp: open, current: { ...current, stamp: open, secret: { ...secret, tags, updatedAt } } };
}

function notNow(
  attempt: Attempt,
  reason: 'opted-out' | 'copy' | 'nothing-to-retire' | 'superseded' | 'already-retired',
  detail: string,
): RetirementResult {
  return { ...attempt.about, kind: 'skipped', reason, detail, steps: attempt.steps };
}

interface Holders {
  readonly previous: Credential | undefined;
  readonly isOver: boolean;
  readonly held: readonly Held[];
}

async function findHolding(
  work: Work,
  current: Current,
  target: Target,
  { previous, isOver, held }: Holders,
): Promise<({ readonly kind: 'holding' } & Holding) | Failure> {
  const { deps, vault, attempt } = work;
  const { policy, secret } = current;
  if (previous === undefined) return { kind: 'holding', sessions: [], consumers: [], known: true };
  return attempt.step('in use', async (time) => {
    const known =
      policy.consumers.length === 0
        ? { kind: 'acknowledged' as const, consumers: new Set<string>() }
        : await deps.acknowledged(vault.name, secret.name, secret.version, time.signal);
    // Its time is over whoever uses it, so who does is for people alone.
    if (isFailure(known) && !isOver) return known;
    const own = policy.consumers.filter((consumer) => isFailure(known) || !known.consumers.has(consumer));
    const others = await missingAtCopies(work, held, time.signal);
    if (isFailure(others) && !isOver) return others;
    const consumers = [...own, ...(isFailure(others) ? [] : others.consumers)];
    const step = target.stepFor(time);
    const use = await target.rotator.inUse(step, previous);
    const { perLogin } = strategyTraits[policy.strategy];
    switch (use.kind) {
      case 'idle':
        return { kind: 'holding', sessions: [], consumers, known: adminSeesAll(step) || !perLogin };
      case 'in-use':
        return {
          kind: 'holding',
          sessions: use.by.length > 0 ? use.by : [`${use.sessions} sessions`],
          consumers,
          known: true,
        };
      case 'unknown':
        // Where old and new share a login, or there are no sessions at all, no look will ever tell more: what all consumers say is the
        // evidence. A login of its own could have been looked at, so not knowing is a reason to wait.
        return { kind: 'holding', sessions: [], consumers, known: !perLogin };
    }
  });
}
