/** The sweep: what events missed is found by listing alone, and put into the queues. */

import { noticeId } from '../contract/notice.ts';
import type { Queues, Vault } from '../contract/ports.ts';
import type { Marks } from '../contract/state.ts';
import { shortHash } from '../engine/policy/identifiers.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import type { Finding } from '../engine/sweep/judge.ts';
import { type Found, type SweepReport, walk } from '../engine/sweep/walk.ts';
import { type Failure, isFailure } from '../errors.ts';
import { notificationsQueue, retirementsQueue, rotationsQueue } from './queues.ts';

export interface SweepDependencies {
  readonly engine: Pick<EngineDependencies, 'vaults' | 'rotators' | 'defaults'>;
  readonly queues: Queues;
  readonly marks: Marks;
  /** Due rotations start spread over this time, in ms, so that a thousand that fell due together do not meet at the vault. */
  readonly jitterMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Whether a due rotation of this secret is left alone: the app is frozen, or the secret is in quarantine. Absent: none is. */
  readonly heldBack?: (secret: string) => boolean;
}

/** How many messages are on their way to the queue at once. */
const mostAtOnce = 16;

/**
 * Goes through one vault and enqueues what is to be done. Called again it enqueues the same again, and the engine finds it done. A page
 * that cannot be read ends it with a failure; the next sweep starts anew.
 */
export async function sweep(
  deps: SweepDependencies,
  vault: Vault,
  signal: AbortSignal,
): Promise<SweepReport | Failure> {
  return walk(deps.engine, vault, (found, now) => actOn(deps, vault.name, found, now), signal);
}

async function actOn(
  deps: SweepDependencies,
  vault: string,
  found: readonly Found[],
  now: Date,
): Promise<Failure | undefined> {
  for (let at = 0; at < found.length; at += mostAtOnce) {
    const acts = found.slice(at, at + mostAtOnce).map(({ secret, finding }) => act(deps, vault, secret, finding, now));
    const failed = (await Promise.all(acts)).find((outcome) => outcome !== undefined);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

async function act(
  deps: SweepDependencies,
  vault: string,
  secret: string,
  finding: Finding,
  now: Date,
): Promise<Failure | undefined> {
  const requestedBy = 'sweep';
  switch (finding.kind) {
    case 'opted-out':
    case 'healthy':
      return undefined;
    case 'due':
      return askRotation(deps, vault, secret);
    case 'retirement-due': {
      const message = { vault, secret, rotationId: finding.rotationId, mode: 'scheduled' as const, requestedBy };
      const retirement = await failed(deps.queues.enqueue(retirementsQueue, message, { secret }));
      return retirement !== undefined || !finding.due ? retirement : askRotation(deps, vault, secret);
    }
    case 'emergency': {
      const { rotationId, by } = finding;
      const who = by === '' ? {} : { requestedById: by };
      const message = { vault, secret, mode: 'emergency' as const, rotationId, requestedBy: by || 'sweep', ...who };
      return failed(deps.queues.enqueue(rotationsQueue, message, { secret }));
    }
    case 'stalled':
      return failed(
        deps.queues.enqueue(rotationsQueue, { vault, secret: finding.secret, mode: 'resume', requestedBy }, { secret }),
      );
    case 'invalid':
      return tellOnce(deps, vault, secret, finding.failure, now);
  }
}

async function askRotation(deps: SweepDependencies, vault: string, secret: string): Promise<Failure | undefined> {
  if (deps.heldBack?.(secret) === true) return undefined;
  const delayMs = Math.floor(deps.random() * deps.jitterMs);
  const message = { vault, secret, mode: 'scheduled' as const, requestedBy: 'sweep' };
  return failed(deps.queues.enqueue(rotationsQueue, message, { secret, delayMs }));
}

async function failed(enqueued: ReturnType<Queues['enqueue']>): Promise<Failure | undefined> {
  const outcome = await enqueued;
  return isFailure(outcome) ? outcome : undefined;
}

/** A tag that cannot be read stays so until somebody mends it: said once for each way of being wrong, not every quarter of an hour. */
async function tellOnce(
  deps: SweepDependencies,
  vault: string,
  secret: string,
  failure: Failure,
  now: Date,
): Promise<Failure | undefined> {
  const mark = `told ${vault}/${secret} ${failure.message}`;
  const before = await deps.marks.has(mark);
  if (isFailure(before) || before.marked) return isFailure(before) ? before : undefined;
  const { code, message, hint, page } = failure;
  // A tag that is mended and broken in another way is other news.
  const id = noticeId('failed', `${vault}-${secret}`.slice(0, 80), `${code}-${shortHash(message).slice(0, 8)}`);
  const notice = {
    id,
    type: 'failed' as const,
    vault,
    secret,
    rotationId: '',
    at: now.toISOString(),
    failure: { code, message, hint, page },
  };
  const told = await deps.queues.enqueue(notificationsQueue, notice, { secret });
  if (isFailure(told)) return told;
  const marked = await deps.marks.put(mark);
  return isFailure(marked) ? marked : undefined;
}
