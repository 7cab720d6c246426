/**
 * A rotation or a retirement with everything around it that people see: the switch that freezes the app, pauses, history and the news of a
 * failure. All ways in meet here; the engine itself knows none of it.
 */

import { afterLeaseMs, type History, type RotationRecord } from '../contract/ports.ts';
import type { Freeze, Trouble } from '../contract/state.ts';
import type { SkipReason } from '../engine/policy/due.ts';
import type { RotationRequest } from '../engine/policy/request.ts';
import type { RetirementRequest } from '../engine/retirement/request.ts';
import type { RetirementResult, Waiting } from '../engine/retirement/result.ts';
import { retire } from '../engine/retirement/retire.ts';
import type { RotationResult } from '../engine/rotation/result.ts';
import { rotate } from '../engine/rotation/rotate.ts';
import type { EngineDependencies, FollowUps, Progress, Published } from '../engine/running/dependencies.ts';
import type { StepRecord } from '../engine/running/result.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import type { Log } from '../telemetry.ts';
import { isAutomatic, lookBefore, lookBeforeRetirement } from './held-back.ts';
import { tell } from './news.ts';
import { longestDelayMs, retirementsQueue } from './queues.ts';
import {
  foundRetiredRecord,
  holders,
  publishedRecord,
  retirementRecord,
  rotationRecord,
  type Times,
} from './records.ts';
import { Reporter } from './reporter.ts';
import { healed, type SettleDependencies, settleFailed, verdictOf } from './settle.ts';

export interface PerformDependencies extends SettleDependencies {
  readonly engine: EngineDependencies;
  readonly history: History;
  readonly freeze: Freeze;
}

/** `tryAgainMs`: the request is not over, and is to be put into the queue again for that time from now. */
export type Performed<Result> = Result & { readonly tryAgainMs?: number };

/** How long a waiting retirement sleeps before it looks again, in ms; the deadline wakes it earlier. */
const lookAgainMs = 15 * 60 * 1000;

/** Rotates one secret for somebody. May be called again for the same request; see `rotate`. */
export async function performRotation(
  deps: PerformDependencies,
  request: RotationRequest,
): Promise<Performed<RotationResult>> {
  const startedAt = deps.now();
  const before = await lookBefore(deps, request);
  const attempted = before.held ?? (await rotateReporting(deps, toBegin(request, before.trouble), startedAt));
  const result = withHolders(attempted, before.trouble);
  const tryAgainMs = await settleRotation(deps, request, result, before.trouble);
  const times = timesOf(deps, startedAt, tryAgainMs);
  if (await isNews(deps, request, result)) await keep(deps, rotationRecord(request, result, times));
  return { ...result, ...(tryAgainMs === undefined ? {} : { tryAgainMs }) };
}

/** Who keeps the old credential alive, as far as an earlier look at its sessions has seen. */
function withHolders(result: RotationResult, { waitsFor = [] }: Trouble): RotationResult {
  if (result.kind !== 'skipped' || result.reason !== 'overlap-running' || waitsFor.length === 0) return result;
  return { ...result, detail: `${result.detail}; still on it: ${waitsFor.join(', ')}` };
}

/** A pause holds back what is only tried again, but not what the target may depend on. */
function toBegin(request: RotationRequest, { rotation }: Trouble): RotationRequest {
  const { askedAt: _any, ...whatever } = request;
  return rotation?.unpublished === true ? whatever : request;
}

/** Each step is logged as it ends; a person who asked may also watch it in the history. */
async function rotateReporting(
  deps: PerformDependencies,
  request: RotationRequest,
  startedAt: Date,
): Promise<RotationResult> {
  const { requestedBy, reason = request.mode } = request;
  const reporter = isAutomatic(request) ? undefined : new Reporter(deps.history, { requestedBy, reason, startedAt });
  let latest: readonly StepRecord[] = [];
  const progress: Progress = {
    step: (about, steps) => {
      latest = steps;
      logStep(deps.log, about, steps.at(-1));
      reporter?.step(about, steps);
    },
  };
  const followUps = recordingFollowUps(deps, async (published) => {
    if (reporter !== undefined) return reporter.published(published);
    // An emergency is not over with its version: the credential before is to be revoked still.
    const outcome = request.mode === 'emergency' || endsNow(published) ? 'running' : 'rotated';
    return keep(deps, publishedRecord(request, published, { startedAt, steps: latest, outcome }));
  });
  const result = await rotate({ ...deps.engine, progress, followUps }, request);
  await reporter?.settled();
  return result;
}

function endsNow({ retireBy, now }: Published): boolean {
  return retireBy !== undefined && retireBy <= now;
}

/**
 * The history knows of a version before it is marked that all that follows it was done: whoever finds the mark looks no further, so a worker
 * that dies after it must have left its record.
 */
function recordingFollowUps(
  { engine: { followUps } }: PerformDependencies,
  record: (published: Published) => Promise<void>,
): FollowUps {
  return {
    done: (rotationId) => followUps.done(rotationId),
    async published(published, again) {
      // The history is that of the source: a record of its own would take the place of the source's.
      if (published.isCopy === true) return followUps.published(published, again);
      const before = again ? await followUps.done(published.rotationId) : undefined;
      if (before !== undefined && isFailure(before)) return before;
      if (before?.done !== true) await record(published);
      return followUps.published(published, again);
    },
  };
}

function logStep(
  log: Log,
  about: { readonly rotationId: string; readonly secret: string },
  step: StepRecord | undefined,
): void {
  if (step === undefined) return;
  const { rotationId, secret } = about;
  log.info('step', { rotationId, secret, step: step.name, ms: step.ms, outcome: step.outcome });
}

/** Nothing is left to rotate, so nothing is left to fail. */
const nothingLeft: ReadonlySet<SkipReason> = new Set([
  'not-due',
  'already-rotated',
  'superseded',
  'opted-out',
  'overlap-running',
]);

/** Time until the request is to be looked at again, in ms; undefined: it is over. */
async function settleRotation(
  deps: PerformDependencies,
  request: RotationRequest,
  result: RotationResult,
  trouble: Trouble,
): Promise<number | undefined> {
  switch (result.kind) {
    case 'rotated':
      // The published credential was proven, so an older one that was refused is no trouble any more.
      await healed(deps, request, trouble, ['rotation', 'check']);
      await remind(deps, request, result, trouble);
      return undefined;
    case 'skipped':
      if (result.reason === 'busy') return afterLeaseMs;
      if (nothingLeft.has(result.reason) && trouble.rotation?.unpublished === false) {
        await healed(deps, request, trouble, ['rotation']);
      }
      return undefined;
    case 'failed': {
      const verdict = verdictOf(result, isAutomatic(request));
      const { failures = 0, unpublished = false } = trouble.rotation ?? {};
      // What was only retried until now is over with this end.
      if (verdict !== 'retry' && verdict !== 'count' && failures === 0 && !unpublished)
        await healed(deps, request, trouble, ['rotation']);
      return settleFailed(deps, 'rotation', request, result, verdict);
    }
  }
}

/** What a rotation warns of stands in the status until the next one. Whoever only finishes one does not know what it warned of. */
async function remind(
  deps: PerformDependencies,
  { vault, secret }: RotationRequest,
  { warnings, found }: Extract<RotationResult, { readonly kind: 'rotated' }>,
  { reminders = [] }: Trouble,
): Promise<void> {
  const isKnown = warnings.length > 0 || found === undefined;
  if (!isKnown || (warnings.length === 0 && reminders.length === 0)) return;
  const kept = await deps.attention.reminds(vault, secret, warnings);
  if (isFailure(kept)) deps.log.warn('attention-not-kept', { secret, code: kept.code });
}

/** Of a duplicate there is nothing to tell: what it asked for stands in the history already. */
async function isNews(deps: PerformDependencies, request: RotationRequest, result: RotationResult): Promise<boolean> {
  if (result.kind === 'skipped') return result.reason !== 'already-rotated';
  if (result.kind !== 'rotated' || result.found !== 'seen') return true;
  // An event finds its record written before the mark. Of others whoever made it may have died after its last step and before its record.
  if (request.mode === 'scheduled') return false;
  const listed = await deps.history.rotation(result.rotationId);
  return !isFailure(listed) && !listed.records.some(({ outcome }) => outcome === 'rotated');
}

/** Retires one old credential for somebody, or arranges to look again. May be called again; see `retire`. */
export async function performRetirement(
  deps: PerformDependencies,
  request: RetirementRequest,
): Promise<Performed<RetirementResult>> {
  const startedAt = deps.now();
  const before = await lookBeforeRetirement(deps, request);
  if (before.held !== undefined) return before.held;
  const result = await retire(deps.engine, request);
  const tryAgainMs = await settleRetirement(deps, request, result, before.trouble);
  // What is done already, and what another worker is at, is told by the attempt that did it.
  if (result.kind !== 'skipped') {
    await keep(deps, retirementRecord(request, result, timesOf(deps, startedAt, tryAgainMs)));
  } else if (result.reason === 'already-retired' && (await isUntold(deps, result.rotationId))) {
    // Whoever ended it may have died after the stamp and before its news or its record. The record comes last: it is what says that both
    // were done, and a notice that is told twice bears one id.
    await tell(deps, request, { type: 'retired', activity: 'retirement', result });
    await keep(deps, foundRetiredRecord(request, result, timesOf(deps, startedAt, tryAgainMs)));
  }
  return { ...result, ...(tryAgainMs === undefined ? {} : { tryAgainMs }) };
}

/** Whether no attempt of this rotation has told the end of the old credential. */
async function isUntold({ history }: PerformDependencies, rotationId: string): Promise<boolean> {
  const listed = await history.rotation(rotationId);
  return !isFailure(listed) && !listed.records.some(({ outcome }) => outcome === 'retired');
}

async function settleRetirement(
  deps: PerformDependencies,
  request: RetirementRequest,
  result: RetirementResult,
  trouble: Trouble,
): Promise<number | undefined> {
  switch (result.kind) {
    case 'waiting':
      await lookAgain(deps, request, result, trouble);
      return undefined;
    case 'retired': {
      await healed(deps, request, trouble, ['retirement']);
      const news = { type: 'retired', activity: 'retirement', result, holding: holders(result.cut) } as const;
      await tell(deps, request, { ...news, login: result.logins.join(', ') });
      return undefined;
    }
    case 'failed': {
      const verdict = verdictOf(result, isAutomatic(request));
      // Whoever asks now and is answered now has no message in the queue that could come back.
      if (request.mode === 'asked' && verdict === 'retry') return undefined;
      return settleFailed(deps, 'retirement', request, result, verdict);
    }
    case 'skipped':
      if (result.reason === 'busy') return afterLeaseMs;
      await healed(deps, request, trouble, ['retirement']);
      return undefined;
  }
}

async function lookAgain(
  deps: PerformDependencies,
  request: RetirementRequest,
  waiting: Waiting,
  { waitsFor: before = [] }: Trouble,
): Promise<void> {
  const { retireBy, leftMs } = waiting;
  const holding = holders(waiting.holding);
  if (before.join() !== holding.join()) {
    const kept = await deps.attention.waits(request.vault, request.secret, holding);
    if (isFailure(kept)) deps.log.warn('attention-not-kept', { secret: request.secret, code: kept.code });
  }
  await tell(deps, request, { type: 'waiting', activity: 'retirement', result: waiting, holding, retireBy });
  if (request.mode !== 'scheduled') return;
  const delayMs = Math.min(leftMs + 1_000, lookAgainMs, longestDelayMs);
  const enqueued = await deps.queues.enqueue(retirementsQueue, request, { secret: request.secret, delayMs });
  if (isFailure(enqueued)) deps.log.warn('retirement-left-to-sweep', { secret: request.secret, code: enqueued.code });
}

/** A request was given up by the queue: people are told, and the sweep finds the secret again while it is due. */
export async function performGivenUp(
  deps: PerformDependencies,
  request: { readonly vault: string; readonly secret: string; readonly rotationId?: string | undefined },
  activity: 'rotation' | 'retirement' | 'check',
): Promise<Failure> {
  const { vault, secret, rotationId = '' } = request;
  const given = failure('deliveries-exhausted', { secret, detail: 'the failures before it say why' });
  await tell(deps, request, { type: 'failed', activity, result: { rotationId }, failure: given });
  const { message: detail, hint, page } = given;
  deps.log.error('message-poisoned', { vault, secret, rotationId, detail, hint, page });
  return given;
}

function timesOf({ now }: PerformDependencies, startedAt: Date, tryAgainMs: number | undefined): Times {
  const endedAt = now();
  return {
    ...{ startedAt, endedAt },
    ...(tryAgainMs === undefined ? {} : { nextTryAt: new Date(endedAt.getTime() + tryAgainMs) }),
  };
}

/** History is for people: when it cannot be kept, work goes on. */
async function keep(deps: PerformDependencies, record: RotationRecord): Promise<void> {
  const kept = await deps.history.record(record);
  if (isFailure(kept)) deps.log.warn('history-not-kept', { secret: record.secret, code: kept.code });
}
