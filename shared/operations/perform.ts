/**
 * A rotation or a retirement with everything around it that people see: the switch that freezes the app, quarantine, history and the
 * news of a failure. All ways in meet here; the engine itself knows none of it.
 */

import { noticeId } from '../contract/notice.ts';
import type { History, Queues, RotationRecord } from '../contract/ports.ts';
import type { Attention, Freeze } from '../contract/state.ts';
import { shortHash } from '../engine/policy/identifiers.ts';
import type { RotationRequest } from '../engine/policy/request.ts';
import type { RetirementRequest } from '../engine/retirement/request.ts';
import type { RetirementResult, Waiting } from '../engine/retirement/result.ts';
import { retire } from '../engine/retirement/retire.ts';
import type { RotationResult } from '../engine/rotation/result.ts';
import { rotate } from '../engine/rotation/rotate.ts';
import type { EngineDependencies, Progress } from '../engine/running/dependencies.ts';
import type { Attempted, Failed, StepRecord } from '../engine/running/result.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import type { Log } from '../telemetry.ts';
import { lookBefore } from './held-back.ts';
import { longestDelayMs, notificationsQueue, retirementsQueue } from './queues.ts';
import { Reporter } from './reporter.ts';

export interface PerformDependencies {
  readonly engine: EngineDependencies;
  readonly history: History;
  readonly attention: Attention;
  readonly freeze: Freeze;
  readonly queues: Queues;
  readonly log: Log;
  /** Failures in a row after which a secret is left alone until a person resumes it. */
  readonly quarantineAfter: number;
  /** The worker's own clock, for history only. */
  readonly now: () => Date;
}

/** How long a waiting retirement sleeps before it looks again, in ms; the deadline wakes it earlier. */
const lookAgainMs = 15 * 60 * 1000;

/** Rotates one secret for somebody. May be called again for the same request; see `rotate`. */
export async function performRotation(deps: PerformDependencies, request: RotationRequest): Promise<RotationResult> {
  const startedAt = deps.now();
  const before = await lookBefore(deps, request);
  const result = before.held ?? (await rotateReporting(deps, request, startedAt));
  await settle(deps, request, result, before.calm);
  // Of an event that comes again there is nothing to tell: what it asked for stands in the history already.
  if (isDuplicate(request, result)) return result;
  await keep(deps, recordOf(request, result, startedAt, deps.now()));
  return result;
}

/** Each step is logged as it ends; a person who asked may also watch it in the history. */
async function rotateReporting(
  deps: PerformDependencies,
  request: RotationRequest,
  startedAt: Date,
): Promise<RotationResult> {
  const { requestedBy, reason = request.mode } = request;
  const automatic = request.mode === 'scheduled' || request.mode === 'resume';
  const reporter = automatic ? undefined : new Reporter(deps.history, { requestedBy, reason, startedAt });
  const progress: Progress = {
    step: (about, steps) => {
      logStep(deps.log, about, steps.at(-1));
      reporter?.step(about, steps);
    },
  };
  const result = await rotate({ ...deps.engine, progress }, request);
  await reporter?.settled();
  return result;
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

/** Retires one old credential for somebody, or arranges to look again. May be called again; see `retire`. */
export async function performRetirement(
  deps: PerformDependencies,
  request: RetirementRequest,
): Promise<RetirementResult> {
  const startedAt = deps.now();
  const result = await retire(deps.engine, request);
  switch (result.kind) {
    case 'waiting':
      await lookAgain(deps, request, result);
      break;
    case 'retired':
      await tell(deps, request, {
        ...{ type: 'retired', result, holding: holders(result.cut) },
        login: result.logins.join(', '),
      });
      break;
    case 'failed':
      await settle(deps, request, result);
      break;
    case 'skipped':
      return result;
  }
  await keep(deps, recordOf(request, result, startedAt, deps.now()));
  return result;
}

function isDuplicate(request: RotationRequest, result: RotationResult): boolean {
  return request.mode === 'scheduled' && result.kind === 'skipped' && result.reason === 'already-rotated';
}

/** Counts failures, and tells people of those that will not mend themselves. */
async function settle(
  deps: PerformDependencies,
  request: RotationRequest | RetirementRequest,
  result: RotationResult | Failed,
  calm = false,
): Promise<void> {
  const { vault, secret } = request;
  if (result.kind === 'rotated' && !calm) {
    const cleared = await deps.attention.cleared(vault, secret);
    if (isFailure(cleared)) deps.log.warn('attention-not-kept', { secret, code: cleared.code });
  }
  // What mends itself says nothing against the secret: a target that is down for an hour must not be in quarantine when it is back.
  if (result.kind !== 'failed' || result.failure.class === 'superseded' || result.failure.class === 'retry') return;
  const { code, message, hint } = result.failure;
  const trouble = await deps.attention.failed(
    vault,
    secret,
    { code, message, hint, at: deps.now() },
    deps.quarantineAfter,
  );
  if (isFailure(trouble)) {
    deps.log.warn('attention-not-kept', { secret, code: trouble.code });
    return;
  }
  // A retirement is tried on in quarantine, and a person may go on asking: that it began is news once.
  const type = trouble.failures === deps.quarantineAfter ? 'quarantined' : 'failed';
  await tell(deps, request, { type, result, failure: result.failure });
}

/** A request was given up by the queue: people are told, and the sweep finds the secret again while it is due. */
export async function performGivenUp(
  deps: PerformDependencies,
  request: { readonly vault: string; readonly secret: string; readonly rotationId?: string | undefined },
): Promise<Failure> {
  const { vault, secret, rotationId = '' } = request;
  const given = failure('deliveries-exhausted', { secret, detail: 'the failures before it say why' });
  await tell(deps, request, { type: 'failed', result: { rotationId }, failure: given });
  deps.log.error('message-poisoned', {
    vault,
    secret,
    rotationId,
    detail: given.message,
    hint: given.hint,
    page: given.page,
  });
  return given;
}

interface News {
  readonly type: 'retired' | 'failed' | 'quarantined' | 'waiting';
  readonly result: Pick<Attempted, 'rotationId' | 'notify'>;
  readonly failure?: Failure;
  readonly holding?: readonly string[];
  readonly login?: string;
  readonly retireBy?: Date;
}

async function tell(
  deps: PerformDependencies,
  request: { readonly vault: string; readonly secret: string },
  news: News,
): Promise<void> {
  const { vault, secret } = request;
  const { type, failure, holding, login, retireBy } = news;
  const { rotationId, notify } = news.result;
  const now = deps.now();
  const message = {
    id: idOf(news, request, now),
    type,
    vault,
    secret,
    rotationId,
    at: now.toISOString(),
    ...(failure === undefined
      ? {}
      : { failure: { code: failure.code, message: failure.message, hint: failure.hint, page: failure.page } }),
    ...(holding === undefined ? {} : { holding: [...holding] }),
    ...(login === undefined ? {} : { login }),
    ...(retireBy === undefined ? {} : { retireBy: retireBy.toISOString() }),
    ...(notify === undefined ? {} : { channels: [...notify] }),
  };
  const told = await deps.queues.enqueue(notificationsQueue, message, { secret });
  if (isFailure(told)) deps.log.error('notice-not-sent', { secret, type, code: told.code, hint: told.hint });
}

/** A secret may be put into quarantine, resumed and fail again: each time is news. A failure of one rotation that stays the same is told once. */
function idOf(
  { type, result, failure }: News,
  { vault, secret }: { readonly vault: string; readonly secret: string },
  now: Date,
): string {
  const { rotationId } = result;
  if (type === 'quarantined') return noticeId(type, rotationId || shortHash(vault, secret), now.getTime().toString(36));
  if (rotationId !== '') return noticeId(type, rotationId, failure?.code);
  // It failed before it was known which version is to be replaced: told once a day, for as long as it stays so.
  const same = shortHash(
    vault.toLowerCase(),
    secret.toLowerCase(),
    failure?.message ?? '',
    now.toISOString().slice(0, 10),
  );
  return noticeId(type, same, failure?.code);
}

/** A message of a queue holds 48 KB, and a large fleet has more sessions than fit or than anybody reads. */
const mostHolders = 50;

function holders(holding: Waiting['holding']): string[] {
  const all = [...holding.consumers, ...holding.sessions].map((one) => one.slice(0, 200));
  const left = all.length - mostHolders;
  return left <= 0 ? all : [...all.slice(0, mostHolders), `${left} more`];
}

async function lookAgain(deps: PerformDependencies, request: RetirementRequest, waiting: Waiting): Promise<void> {
  const { holding, retireBy } = waiting;
  await tell(deps, request, { type: 'waiting', result: waiting, holding: holders(holding), retireBy });
  if (request.mode !== 'scheduled') return;
  const delayMs = Math.min(waiting.leftMs + 1_000, lookAgainMs, longestDelayMs);
  const enqueued = await deps.queues.enqueue(retirementsQueue, request, { secret: request.secret, delayMs });
  if (isFailure(enqueued)) deps.log.warn('retirement-left-to-sweep', { secret: request.secret, code: enqueued.code });
}

/** History is for people: when it cannot be kept, work goes on. */
async function keep(deps: PerformDependencies, record: RotationRecord): Promise<void> {
  const kept = await deps.history.record(record);
  if (isFailure(kept)) deps.log.warn('history-not-kept', { secret: record.secret, code: kept.code });
}

function recordOf(
  request: RotationRequest | RetirementRequest,
  result: RotationResult | RetirementResult,
  startedAt: Date,
  endedAt: Date,
): RotationRecord {
  const { rotationId, vault, secret, steps } = result;
  const about = { rotationId, vault, secret, steps, startedAt, endedAt, requestedBy: request.requestedBy };
  const why = 'reason' in request && request.reason !== undefined ? request.reason : request.mode;
  switch (result.kind) {
    case 'rotated':
      return { ...about, outcome: 'rotated', reason: why, from: result.from, to: result.to };
    case 'skipped':
      return { ...about, outcome: 'skipped', reason: `${result.reason}: ${result.detail}` };
    case 'retired':
      return {
        ...about,
        outcome: 'retired',
        reason: `${result.evidence}: ${[...result.logins, ...holders(result.cut)].join(', ')}`,
      };
    case 'waiting':
      return { ...about, outcome: 'skipped', reason: `in use by ${holders(result.holding).join(', ')}` };
    case 'failed': {
      const { code, message, hint } = result.failure;
      return { ...about, outcome: 'failed', reason: why, failure: { code, message, hint } };
    }
  }
}
