/**
 * Somebody asks for one rotation. The request is in the queue before anything is answered or begun: whoever waits for it works on the
 * same request as the queue's message, which comes later and finds it done. So a crash at any point loses nothing, and nothing happens twice.
 */
import { createHash, randomBytes } from 'node:crypto';
import { afterLeaseMs, type Enqueued, type Vault } from '../contract/ports.ts';
import type { ManualCare } from '../contract/rotator.ts';
import { type Current, readCurrent, versionMeant } from '../engine/policy/current.ts';
import { nextStepOf } from '../engine/policy/next-step.ts';
import type { RotationRequest } from '../engine/policy/request.ts';
import type { RotationResult } from '../engine/rotation/result.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import { type Performed, performRotation } from '../operations/perform.ts';
import { rotationsQueue } from '../operations/queues.ts';
import type { Log } from '../telemetry.ts';
import { type Answer, accepted, ok, placeOf } from './answer.ts';
import { type Caller, may, type Place } from './caller.ts';
import { type ApiDependencies, vaultOf } from './dependencies.ts';
import { linkedProblem } from './linked.ts';
import { failureProblem, problem } from './problem.ts';
import { type RotationView, viewRotated, viewRotation } from './views/rotation.ts';

export interface Asked {
  readonly vault: string;
  readonly secret: string;
  readonly mode: Exclude<RotationRequest['mode'], 'scheduled' | 'resume'>;
  readonly reason: string;
  readonly version?: string | undefined;
  readonly to?: string | undefined;
  /** Also to a credential that was revoked in an emergency. */
  readonly force?: boolean | undefined;
  readonly wait: boolean;
}

export interface Asking {
  readonly caller: Caller;
  readonly idempotencyKey: string | undefined;
  /** The id that an approved request has already, and when it was asked for. */
  readonly approved?: { readonly id: string; readonly at: Date };
  readonly log: Log;
  readonly signal: AbortSignal;
}

type Claimed =
  /** `askedAt`: when it was asked for the first time, absent: now. `queued`: the message is in the queue already. */
  | { readonly kind: 'claimed'; readonly rotationId: string; readonly queued: boolean; readonly askedAt?: Date }
  | { readonly kind: 'problem'; readonly answer: Answer };

/** A request that was claimed longer ago than this and is not in the queue was lost in a crash. */
const lostAfterMs = 60_000;

/** How long an answer is waited for. Azure cuts it after 230 s, and clients and proxies much earlier. */
const waitMs = 100_000;

export async function askRotation(deps: ApiDependencies, asked: Asked, asking: Asking): Promise<Answer> {
  const found = vaultOf(deps, asked.vault);
  if (found.kind === 'problem') return found.answer;
  const current = await readCurrent(deps.engine, found.vault, asked.secret, asking.signal);
  if (isFailure(current)) return failureProblem(current);
  if (current.kind === 'opted-out') return problem('not-managed', `${asked.secret} has no tag "rotator"`);
  const sees = (where: Place): boolean => may(asking.caller, 'reader', where);
  if (current.kind === 'linked') return linkedProblem(deps, found.vault, current, sees, asking.signal);
  const { manual } = current.policy;
  if (manual !== undefined) return failureProblem(byHand(asked.secret, manual));

  const askedAt = deps.now();
  const claimed = await claim(deps, asking, fingerprintOf(asked), askedAt);
  if (claimed.kind === 'problem') return claimed.answer;
  const version =
    asked.mode === 'emergency' ? await leakedVersion(found.vault, current, claimed, asking) : asked.version;
  if (typeof version === 'object') return failureProblem(version);
  const request = requestOf({ ...asked, version }, asking.caller, claimed.rotationId, askedAt);
  const queued = claimed.queued
    ? undefined
    : await queue(deps, request, askedAt, asked.wait ? afterLeaseMs : 0, asking.log);
  if (queued !== undefined && isFailure(queued)) return failureProblem(queued);
  return asked.wait
    ? perform(deps, request, queued, asking)
    : accepted(await standing(deps, request), placeOf(claimed.rotationId));
}

/**
 * What leaked is what is current when somebody asks, whatever is by the time that a worker gets to it. Who asks again with the same key
 * means what was current the first time: an emergency that is over would begin another one.
 */
async function leakedVersion(
  vault: Vault,
  current: Current,
  { askedAt }: Extract<Claimed, { kind: 'claimed' }>,
  { signal }: Asking,
): Promise<string | Failure> {
  if (askedAt === undefined) return versionMeant({ ...current, version: current.secret.version });
  const listed = await vault.versions(current.secret.name, { signal });
  if (isFailure(listed)) return listed;
  return listed.versions.find(({ createdAt }) => createdAt <= askedAt)?.version ?? current.secret.version;
}

function byHand(secret: string, { link = 'its provider' }: ManualCare): Failure {
  return failure('manual-rotation', { secret, target: link, link, detail: 'its tag "rotator" is "manual"' });
}

/** A hash of what was asked, so that one key for two different requests is seen. */
export function fingerprintOf(asked: object): string {
  const sorted = Object.entries(asked).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/** Takes the caller's key, or finds what it was taken for. Without a key every request is a new one. */
export async function claim(
  deps: ApiDependencies,
  { caller, idempotencyKey, approved }: Pick<Asking, 'caller' | 'idempotencyKey' | 'approved'>,
  fingerprint: string,
  at: Date,
  markOf = queuedMark,
): Promise<Claimed> {
  if (approved !== undefined) {
    const mark = await deps.marks.has(queuedMark(approved.id));
    if (isFailure(mark)) return { kind: 'problem', answer: failureProblem(mark) };
    const { id: rotationId, at: askedAt } = approved;
    // What is not in the queue yet is done for what is current: the approval was looked at just now, and covers nothing else.
    return { kind: 'claimed', rotationId, queued: mark.marked, ...(mark.marked ? { askedAt } : {}) };
  }
  const fresh = randomBytes(16).toString('hex');
  if (idempotencyKey === undefined) return { kind: 'claimed', rotationId: fresh, queued: false };
  const claim = await deps.idempotencyKeys.claim(caller.id, idempotencyKey, fingerprint, fresh, at);
  if (isFailure(claim)) return { kind: 'problem', answer: failureProblem(claim) };
  if (claim.kind === 'claimed') return { kind: 'claimed', rotationId: fresh, queued: false };
  if (claim.fingerprint !== fingerprint)
    return { kind: 'problem', answer: problem('key-reused', 'the key was sent before with another request') };
  const { rotationId } = claim;
  const mark = await deps.marks.has(markOf(rotationId));
  if (isFailure(mark)) return { kind: 'problem', answer: failureProblem(mark) };
  if (mark.marked || at.getTime() - claim.at.getTime() > lostAfterMs)
    return { kind: 'claimed', rotationId, queued: mark.marked, askedAt: claim.at };
  const headers = { 'retry-after': '5', location: placeOf(rotationId) };
  return { kind: 'problem', answer: problem('key-in-work', 'it is not in the queue yet', { headers, rotationId }) };
}

export function queuedMark(rotationId: string): string {
  return `queued ${rotationId}`;
}

export function requestOf(
  asked: Omit<Asked, 'wait'>,
  caller: Caller,
  rotationId: string,
  askedAt: Date,
): RotationRequest {
  const { vault, secret, mode, reason, version, to, force } = asked;
  return {
    ...{ vault, secret, mode, reason, rotationId, askedAt: askedAt.toISOString(), ...askerOf(caller) },
    ...(version === undefined ? {} : { version }),
    ...(to === undefined ? {} : { to }),
    ...(force === true ? { force } : {}),
  };
}

/** Who asks, by name for people and by id for tags. */
export function askerOf({ name, id }: Caller): { readonly requestedBy: string; readonly requestedById: string } {
  return { requestedBy: name.slice(0, 256), requestedById: id.slice(0, 128) };
}

/** Puts the request into the queue, then says so: the other way round a crash would make a request that nobody works on. */
export async function queue(
  deps: ApiDependencies,
  request: RotationRequest,
  askedAt: Date,
  delayMs: number,
  log: Log,
): Promise<Enqueued | Failure> {
  const { rotationId = '', vault, secret, requestedBy, reason = request.mode } = request;
  const enqueued = await deps.queues.enqueue(rotationsQueue, request, { secret, delayMs });
  if (isFailure(enqueued)) return enqueued;
  const about = { rotationId, vault, secret, activity: 'rotation' as const, requestedBy, reason, steps: [] };
  const [marked, recorded] = await Promise.all([
    deps.marks.put(queuedMark(rotationId)),
    deps.history.record({ ...about, startedAt: askedAt, endedAt: askedAt, outcome: 'queued' }),
  ]);
  for (const outcome of [marked, recorded]) {
    if (isFailure(outcome)) log.warn('asking-not-kept', { secret, code: outcome.code });
  }
  return enqueued;
}

/** How the rotation stands by its history; where that cannot be read, what is certain. */
async function standing(deps: ApiDependencies, request: RotationRequest): Promise<RotationView> {
  const { rotationId = '', vault, secret, requestedBy, reason = request.mode } = request;
  const listed = await deps.history.rotation(rotationId);
  const known = isFailure(listed) ? undefined : viewRotation(listed.records);
  const unknown = { rotationId, vault, secret, requestedBy, reason, retired: false, warnings: [], attempts: [] };
  return known ?? { ...unknown, state: 'queued' };
}

async function perform(
  deps: ApiDependencies,
  request: RotationRequest,
  queued: Enqueued | undefined,
  { log, signal }: Asking,
): Promise<Answer> {
  const limit = new AbortController();
  const late = deps.engine.wait(waitMs, AbortSignal.any([limit.signal, signal])).then(() => 'late' as const);
  const result = await Promise.race([performRotation({ ...deps, log }, request), late]);
  limit.abort();
  // It goes on; should this process end, the queue's message does.
  if (result === 'late') return accepted(await standing(deps, request), placeOf(request.rotationId ?? ''), 10);
  // What is not over comes back with the message that waits in the queue.
  if (result.tryAgainMs === undefined) await queued?.withdraw?.();
  return answerOf(deps, request, result);
}

async function answerOf(
  deps: ApiDependencies,
  request: RotationRequest,
  result: Performed<RotationResult>,
): Promise<Answer> {
  const { rotationId = '' } = request;
  const steps = result.steps.map((step) => ({ ...step }));
  const location = placeOf(rotationId);
  switch (result.kind) {
    case 'rotated':
      return { ...ok(viewRotated(await standing(deps, request), result)), headers: { location } };
    case 'skipped':
      if (result.reason === 'already-rotated') return { ...ok(await madeBefore(deps, request)), headers: { location } };
      if (result.reason === 'busy') return accepted(await standing(deps, request), location, 5);
      return problem('not-now', result.detail, {
        ...{ reason: result.reason, rotationId, steps, headers: { location } },
        hint: nextStepOf(result.reason, request.secret),
      });
    case 'failed':
      return failureProblem(result.failure, {
        ...{ rotationId, steps, headers: { location } },
        ...(result.published === undefined ? {} : { published: { ...result.published } }),
      });
  }
}

/** The same request again, after its version was made. */
async function madeBefore(deps: ApiDependencies, request: RotationRequest): Promise<RotationView> {
  return { ...(await standing(deps, request)), state: 'rotated' };
}
