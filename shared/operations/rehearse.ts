/** A rehearsal with what people see of it: history, a reminder where it fails, and the record by which one that died is finished. */
import { afterLeaseMs, type QueueOf, type Queues, type RotationRecord } from '../contract/ports.ts';
import type { Rehearsals } from '../contract/state.ts';
import type { CheckRequest } from '../engine/policy/check-request.ts';
import { type RehearsalResult, rehearse } from '../engine/rehearsal/rehearse.ts';
import { type Failure, isFailure } from '../errors.ts';
import { tell } from './news.ts';
import type { PerformDependencies } from './perform.ts';

export interface RehearsalDependencies extends PerformDependencies {
  readonly rehearsals: Rehearsals;
}

export interface RehearsalAsked {
  readonly vault: string;
  readonly secret: string;
  readonly requestedBy: string;
  readonly reason: string;
  /** Nobody waits for the answer, so a failure is told. */
  readonly automatic: boolean;
}

/** How the reminders of a rehearsal begin; the others are the newest rotation's. */
const remindersBegin = 'Rehearsal: ';

/** May be called again at any time. */
export async function performRehearsal(deps: RehearsalDependencies, asked: RehearsalAsked): Promise<RehearsalResult> {
  const begunAt = deps.now();
  const place = { vault: asked.vault, secret: asked.secret };
  const result = await rehearse(deps.engine, () => deps.rehearsals.keep(place, { begunAt }), place);
  if (result.kind === 'skipped' && result.reason === 'busy') return result;
  // What may be left of the twin is removed by the next one, and the record has the sweep ask for it.
  const mayBeLeft = result.kind === 'failed' && (result.unpublished === true || result.failure.code === 'lease-lost');
  if (!mayBeLeft) await ended(deps, place, begunAt);
  await keepRecord(deps, asked, result, begunAt);
  await remind(deps, asked, result);
  return result;
}

async function ended(
  { rehearsals, log, now }: RehearsalDependencies,
  place: { readonly vault: string; readonly secret: string },
  begunAt: Date,
): Promise<void> {
  const kept = await rehearsals.keep(place, { begunAt, endedAt: now() });
  if (isFailure(kept)) log.warn('rehearsal-not-kept', { secret: place.secret, code: kept.code });
}

async function keepRecord(
  { history, log, now }: RehearsalDependencies,
  { requestedBy, reason }: RehearsalAsked,
  result: RehearsalResult,
  startedAt: Date,
): Promise<void> {
  const { rotationId, vault, secret, steps } = result;
  const about = { rotationId, vault, secret, activity: 'rotation', requestedBy, reason } as const;
  const record: RotationRecord = { ...about, startedAt, endedAt: now(), steps: [...steps], ...outcomeOf(result) };
  const kept = await history.record(record);
  if (isFailure(kept)) log.warn('history-not-kept', { secret, code: kept.code });
}

function outcomeOf(result: RehearsalResult): Pick<RotationRecord, 'outcome' | 'detail' | 'failure'> {
  switch (result.kind) {
    case 'rehearsed':
      return { outcome: 'rehearsed', detail: result.detail };
    case 'skipped':
      return { outcome: 'skipped', detail: `${result.reason}: ${result.detail}` };
    case 'failed': {
      const { code, message, hint } = result.failure;
      return { outcome: 'rehearsed', detail: 'it failed', failure: { code, message, hint } };
    }
  }
}

/** A rotation that would fail stands with the secret until a rehearsal, or the rotation itself, has shown otherwise. */
async function remind(deps: RehearsalDependencies, asked: RehearsalAsked, result: RehearsalResult): Promise<void> {
  if (result.kind === 'skipped') return;
  const { vault, secret } = asked;
  const trouble = await deps.attention.of(vault, secret);
  const before = isFailure(trouble) ? [] : (trouble.reminders ?? []);
  const others = before.filter((text) => !text.startsWith(remindersBegin));
  // What passes by itself says nothing of the next rotation.
  const counts = result.kind === 'failed' && result.failure.class !== 'retry' && result.failure.code !== 'lease-lost';
  const own = counts ? [`${remindersBegin}${result.failure.message} ${result.failure.hint}`] : [];
  const reminders = [...others, ...own];
  if (before.join('\n') !== reminders.join('\n')) {
    const kept = await deps.attention.reminds(vault, secret, reminders);
    if (isFailure(kept)) deps.log.warn('attention-not-kept', { secret, code: kept.code });
  }
  if (!counts || !asked.automatic) return;
  await tell(deps, { vault, secret }, { type: 'failed', activity: 'check', result, failure: result.failure });
}

interface FinishDependencies {
  readonly engine: { readonly vaults: ReadonlyMap<string, unknown> };
  readonly queues: Queues;
  readonly rehearsals: Rehearsals;
}

/** Asks for every rehearsal again whose worker died, so that nothing of it is left. A failure of one vault leaves the others. */
export async function finishRehearsals(
  { engine, queues, rehearsals }: FinishDependencies,
  queue: QueueOf<CheckRequest>,
  now: Date,
): Promise<{ readonly kind: 'asked'; readonly count: number } | Failure> {
  let [count, failed]: [number, Failure | undefined] = [0, undefined];
  for (const vault of engine.vaults.keys()) {
    for await (const one of rehearsals.all(vault)) {
      if (isFailure(one)) {
        failed ??= one;
        break;
      }
      if (one.endedAt !== undefined || now.getTime() - one.begunAt.getTime() < afterLeaseMs) continue;
      const { secret } = one;
      const enqueued = await queues.enqueue(queue, { vault, secret, rehearse: 'finish' }, { secret });
      if (isFailure(enqueued)) failed ??= enqueued;
      else count += 1;
    }
  }
  return failed ?? { kind: 'asked', count };
}

/** Whether it is time for the next one. Pure. */
export function isRehearsalDue(everyMs: number | undefined, lastEndedAt: Date | undefined, now: Date): boolean {
  if (everyMs === undefined) return false;
  return lastEndedAt === undefined || now.getTime() - lastEndedAt.getTime() >= everyMs;
}
