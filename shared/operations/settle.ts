/** What follows from how an attempt ended: failures are kept and told, and it is known whether and when it is tried again. */
import { type Backoff, failureBackoff, retryBackoff } from '../backoff.ts';
import type { Queues } from '../contract/ports.ts';
import type { Activity, Attention, Trouble } from '../contract/state.ts';
import type { Failed } from '../engine/running/result.ts';
import { type Failure, isFailure, mayTryAgain } from '../errors.ts';
import type { Log } from '../telemetry.ts';
import { type News, tell } from './news.ts';

export interface SettleDependencies {
  readonly attention: Attention;
  readonly queues: Queues;
  readonly log: Log;
  /** Failures in a row after which the rotations of a secret are paused, and people are told of what was only retried. */
  readonly pauseAfter: number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** The worker's own clock. */
  readonly now: () => Date;
}

/**
 * `retry`: it passes by itself, or what was begun has to be finished. `count`: a failure of the secret. `final`: whoever asked could not have
 * it, which says nothing against the secret. `leave`: somebody else's version is current and stays so; people are told, and no more is done.
 */
export type Verdict = 'retry' | 'count' | 'final' | 'leave';

/** `automatic`: nobody asked, or nobody waits for it. Pure. */
export function verdictOf(
  { failure, unpublished }: Pick<Failed, 'failure' | 'unpublished'>,
  automatic: boolean,
): Verdict {
  if (failure.class === 'retry' || failure.code === 'lease-lost') return 'retry';
  if (failure.class === 'superseded') return 'leave';
  if (automatic) return 'count';
  // The target took a credential that no version holds: that is not left behind, whoever asked.
  return unpublished === true && mayTryAgain(failure.code) ? 'retry' : 'final';
}

interface About {
  readonly vault: string;
  readonly secret: string;
}

/** Time until it is tried again, in ms; undefined: only when somebody asks. Never fails. */
export async function settleFailed(
  deps: SettleDependencies,
  activity: Activity,
  about: About,
  result: Pick<Failed, 'failure' | 'published' | 'unpublished' | 'held' | 'rotationId' | 'notify'> &
    Partial<Pick<Failed, 'steps'>>,
  verdict: Verdict,
): Promise<number | undefined> {
  const { failure } = result;
  const news = { activity, result, failure } as const;
  if (verdict === 'leave' || verdict === 'final') {
    // It says nothing against the secret, but that the target accepts a credential that no version holds is true of it.
    if (verdict === 'final' && result.unpublished === true) await keepFailure(deps, activity, about, result, verdict);
    await tell(deps, about, { ...news, type: 'failed' });
    return undefined;
  }
  const counts = verdict === 'count';
  const trouble = await keepFailure(deps, activity, about, result, verdict);
  const { failures, retries, since, nextTryAt } = trouble;
  if (counts || retries === deps.pauseAfter) {
    const type = counts ? newsTypeOf(deps, activity, failure, failures) : 'failed';
    await tell(deps, about, { ...news, type, since, ...(nextTryAt === undefined ? {} : { nextTryAt }) });
  }
  return nextTryAt === undefined ? undefined : Math.max(0, nextTryAt.getTime() - deps.now().getTime());
}

function newsTypeOf(
  { pauseAfter }: SettleDependencies,
  activity: Activity,
  { code }: Failure,
  failures: number,
): News['type'] {
  if (code === 'manual-rotation') return 'reminder';
  return activity === 'rotation' && (failures === pauseAfter || !mayTryAgain(code)) ? 'paused' : 'failed';
}

async function keepFailure(
  deps: SettleDependencies,
  activity: Activity,
  { vault, secret }: About,
  { failure, unpublished = false }: Pick<Failed, 'failure' | 'unpublished'>,
  verdict: Verdict,
) {
  const counts = verdict === 'count';
  const { code, message, hint, retryAfterSeconds } = failure;
  const at = deps.now();
  const random = deps.random();
  const after = (backoff: Backoff, inARow: number) =>
    new Date(at.getTime() + backoff.pauseMs(inARow, random, retryAfterSeconds));
  const waits = verdict !== 'retry' && !mayTryAgain(code);
  // Consumers may be refused until what was begun at the target is published, so it is tried again soon at first.
  const backoff = counts && !unpublished ? failureBackoff : retryBackoff;
  const next = ({ failures, retries }: { readonly failures: number; readonly retries: number }) => ({
    at: waits ? undefined : after(backoff, counts ? failures : retries),
    paused: activity === 'rotation' && ((counts && waits) || failures >= deps.pauseAfter),
  });
  const failed = { code, message, hint, at, counts, unpublished };
  const kept = await deps.attention.failed(vault, secret, activity, failed, next);
  const trouble = isFailure(kept) ? undefined : kept[activity];
  if (trouble !== undefined) return trouble;
  if (isFailure(kept)) deps.log.warn('attention-not-kept', { secret, code: kept.code });
  // As if it were the first one.
  const first = counts ? { failures: 1, retries: 0 } : { failures: 0, retries: 1 };
  const { at: nextTryAt } = next(first);
  return { ...first, since: at, ...(nextTryAt === undefined ? {} : { nextTryAt }) };
}

/** Forgets what went wrong with these activities, where something did. Never fails. */
export async function healed(
  deps: Pick<SettleDependencies, 'attention' | 'log'>,
  { vault, secret }: About,
  trouble: Trouble,
  activities: readonly Activity[],
): Promise<void> {
  for (const activity of activities) {
    if (trouble[activity] === undefined && !(activity === 'retirement' && trouble.waitsFor !== undefined)) continue;
    const cleared = await deps.attention.cleared(vault, secret, activity);
    if (isFailure(cleared)) deps.log.warn('attention-not-kept', { secret, code: cleared.code });
  }
}
