/**
 * An emergency is about the version that it names. Where another one is current by the time that somebody gets to it, what leaked is
 * revoked where it is, and no version is made: the current one holds another credential.
 */
import type { SecretProperties, Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { carryDue } from '../copies/carry.ts';
import type { Current } from '../policy/current.ts';
import { rotationIdOf } from '../policy/identifiers.ts';
import type { RotationRequest } from '../policy/request.ts';
import type { EarlierAsked } from '../policy/requested.ts';
import { actorId } from '../policy/revocation.ts';
import { answers, isRetirementOpen, readStamp } from '../policy/stamp.ts';
import { endLeaked, type LeakedOutcome } from '../retirement/leaked.ts';
import type { Attempt } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import { madeBefore, publishedAs, rotatedBefore } from './found.ts';
import type { RotationResult } from './result.ts';
import { endFor } from './revoke.ts';

interface Asked {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly request: RotationRequest;
  readonly attempt: Attempt;
}

export type Met =
  /** Nothing is left to do about an earlier version; what is to be done about the current one. */
  | { readonly kind: 'go-on'; readonly current: Current; readonly request: RotationRequest }
  /** The current version was changed: it is to be read again. */
  | { readonly kind: 'again' }
  | RotationResult
  | Failure;

/** Ends what leaked and is no longer current: first what stands in the tags, then what the request names. */
export async function meetLeaked(asked: Asked, current: Current, id: string): Promise<Met> {
  const met = await meetStanding(asked, current);
  return met.kind === 'go-on' ? meetNamed({ ...asked, request: met.request }, met.current, id) : met;
}

async function meetStanding(asked: Asked, read: Current): Promise<Met> {
  const { request } = asked;
  const { earlier: standing, ...rest } = read.requested;
  if (standing === undefined) return { kind: 'go-on', current: read, request };
  const current = await withCopies(asked, read);
  const isFor = request.mode === 'emergency' && request.version === standing.version;
  const outcome = await end(asked, current, standing);
  if (isFailure(outcome)) {
    if (holdsUp(outcome, request, standing)) return outcome;
    // Whoever has the current credential may be what stands in the way: who asks again means that one then.
    const { version } = current.secret;
    return { kind: 'go-on', current, request: isFor ? { ...request, version } : request };
  }
  switch (outcome.kind) {
    case 'revoked':
    case 'missing':
      return { kind: 'go-on', current: outcome.current, request };
    case 'replaced':
      return retireReplaced(asked, current, standing);
    case 'current': {
      const emergency = await asOfCurrent(asked, current, standing);
      return { kind: 'go-on', current: { ...current, requested: { emergency, ...rest } }, request };
    }
  }
}

/** The credential is current again, so the emergency is about that version; one that its request has is not the one that is made now. */
async function asOfCurrent({ vault, request, attempt }: Asked, current: Current, standing: EarlierAsked) {
  const { version: _earlier, rotationId, ...asked } = standing;
  const made = await madeBefore(vault, unnamed(request, rotationId), attempt, current);
  const id = made === undefined ? rotationId : rotationIdOf(vault.name, current.secret.name, current.secret.version);
  return { ...asked, rotationId: id };
}

/** What a person must make possible does not keep the secret from being rotated. But nothing is gone back to before. */
function holdsUp(met: Failure, request: RotationRequest, standing: EarlierAsked): boolean {
  if (request.mode !== 'emergency') return met.class === 'retry' || request.mode === 'roll-back';
  if (request.rotationId === standing.rotationId) return true;
  return request.version === standing.version && met.class !== 'retry';
}

async function meetNamed(asked: Asked, read: Current, id: string): Promise<Met> {
  const { request, vault, attempt } = asked;
  const { secret } = read;
  const { mode, version, requestedBy, requestedById = requestedBy } = request;
  const isEarlier = mode === 'emergency' && version !== undefined && version !== secret.version;
  if (!isEarlier || answers(read.stamp, id)) return { kind: 'go-on', current: read, request };
  const current = await withCopies(asked, read);
  const { stamp } = current;
  const leaked = { rotationId: id, version, by: actorId(requestedById), at: secret.readAt };
  const outcome = await end(asked, current, leaked);
  switch (outcome.kind) {
    case 'failed':
      return outcome;
    case 'missing':
      return skipped(attempt, `version ${version} is no longer there`);
    case 'revoked': {
      const made = await madeBefore(vault, unnamed(request, id), attempt, outcome.current);
      return made ?? revoked(outcome, attempt, version);
    }
    case 'current': {
      const made = await madeBefore(vault, unnamed(request, id), attempt, current);
      return made ?? { kind: 'go-on', current, request: { ...request, rotationId: id, version: secret.version } };
    }
    case 'replaced':
      if (stamp?.revoke !== undefined && isRetirementOpen(stamp))
        return { kind: 'go-on', current, request: unnamed(request, id) };
      return retireReplaced(asked, current, leaked);
  }
}

/** Copies that still hold what leaked get what is current first. One that cannot be brought now is not waited for, and stays due. */
async function withCopies(asked: Asked, current: Current): Promise<Current> {
  const carried = await carryDue(asked, current, false);
  return isFailure(carried) ? current : carried;
}

/** The same request, of whatever is current or not over. */
function unnamed(request: RotationRequest, rotationId: string | undefined): RotationRequest {
  const { version: _earlier, ...rest } = request;
  return { ...rest, ...(rotationId === undefined ? {} : { rotationId }) };
}

async function end(asked: Asked, current: Current, leaked: EarlierAsked): Promise<LeakedOutcome> {
  const { vault, attempt } = asked;
  const listed = await attempt.step('look back', ({ signal }) => vault.versions(current.secret.name, { signal }));
  if (isFailure(listed)) return listed;
  return endLeaked(asked, current, { ...leaked, version: replacedFor(leaked, listed.versions) }, listed.versions);
}

/** What was replaced for it, where that was begun: another version with the same credential, where somebody had saved it once more. */
function replacedFor({ rotationId, version }: EarlierAsked, versions: readonly SecretProperties[]): string {
  const made = versions.find(({ tags }) => answers(readStamp(tags), rotationId));
  return (made === undefined ? undefined : readStamp(made.tags)?.from) ?? version;
}

/** The stamp of the current version is where the end of that credential stands: it becomes a revocation there, whether it had ended or not. */
async function retireReplaced(asked: Asked, current: Current, { version, by }: EarlierAsked): Promise<Met> {
  const { vault, request, attempt } = asked;
  const { stamp, secret } = current;
  const about = { vault: vault.name, secret: secret.name, mode: 'emergency' as const };
  const who = { requestedBy: request.requestedBy, ...(by === '' ? {} : { requestedById: by }) };
  const result = await endFor(asked, { ...about, ...who, rotationId: stamp?.rotationId ?? '' });
  switch (result.kind) {
    case 'failed':
      return 'failure' in result ? result.failure : result;
    case 'waiting':
    case 'skipped':
      return skipped(attempt, `version ${version} is no longer current`);
    case 'retired':
      if (current.requested.earlier !== undefined) return { kind: 'again' };
      return revoked(
        { kind: 'revoked', current, login: result.logins.join(', '), ended: { ...result, kind: 'ended' } },
        attempt,
        version,
      );
  }
}

function revoked(
  { current, ended }: Extract<LeakedOutcome, { kind: 'revoked' }>,
  attempt: Attempt,
  version: string,
): RotationResult {
  const done = `Version ${version} was not current any more: its credential was revoked and its sessions were ended. Version ${current.secret.version} holds another one and was left as it is.`;
  const about = publishedAs(current, attempt, [done]);
  return rotatedBefore(current, attempt, { ...about, from: version }, ended === undefined ? 'seen' : 'finished');
}

function skipped(attempt: Attempt, detail: string): RotationResult {
  return { ...attempt.about, kind: 'skipped', reason: 'superseded', detail, steps: attempt.steps };
}
