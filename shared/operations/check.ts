/** Drift: does the vault's current credential still log in? Asked of every managed secret once a day, a message each. */

import { retryBackoff } from '../backoff.ts';
import { noticeId } from '../contract/notice.ts';
import { afterLeaseMs, type Lease, type QueueOf, type Queues, type Vault } from '../contract/ports.ts';
import { queueNames } from '../contract/queue-names.ts';
import type { Rehearsals } from '../contract/state.ts';
import { type CheckRequest, checkRequest } from '../engine/policy/check-request.ts';
import { holdByFailures } from '../engine/policy/hold.ts';
import { shortHash } from '../engine/policy/identifiers.ts';

import type { EngineDependencies } from '../engine/running/dependencies.ts';
import { lookAt } from '../engine/sweep/standing.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import { checkDrift, type Drift } from './inspect.ts';
import { shown } from './news.ts';
import type { PerformDependencies, Performed } from './perform.ts';
import { notificationsQueue } from './queues.ts';
import { isRehearsalDue } from './rehearse.ts';
import { healed, settleFailed, verdictOf } from './settle.ts';

/** Credentials to try with a login. */
export const checksQueue: QueueOf<CheckRequest> = { name: queueNames.checks, schema: checkRequest };

export interface CheckDependencies {
  readonly engine: Pick<EngineDependencies, 'vaults' | 'rotators' | 'defaults'>;
  readonly queues: Queues;
  /** When each was rehearsed last. Absent: none is rehearsed unasked. */
  readonly rehearsals?: Rehearsals;
  /** The checks are spread over this time, in ms, so that a server with a hundred logins is not asked for all of them at once. */
  readonly jitterMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** How many messages are on their way to the queue at once. */
const mostAtOnce = 16;

/** Enqueues a check of every managed secret of a vault, by listing alone. Called again it asks again, which does no harm. */
export async function enqueueChecks(
  deps: CheckDependencies,
  vault: Vault,
  signal: AbortSignal,
): Promise<{ readonly kind: 'enqueued'; readonly vault: string; readonly checks: number } | Failure> {
  const rehearsed = await rehearsedAt(deps, vault.name);
  if (isFailure(rehearsed)) return rehearsed;
  let checks = 0;
  for await (const page of vault.list({ signal })) {
    if (isFailure(page)) return page;
    const messages = page.secrets.flatMap((properties): readonly CheckRequest[] => {
      // What cannot be read is told by the sweep; a stored candidate is nobody's credential yet; what a person replaces has no target.
      const { policy } = lookAt(deps.engine, properties, {}, page.readAt);
      if (policy === undefined || policy.manual !== undefined) return [];
      const check = { vault: vault.name, secret: properties.name };
      const last = rehearsed.bySecret.get(properties.name.toLowerCase());
      const isDue = deps.rehearsals !== undefined && isRehearsalDue(policy.rehearseMs, last, page.readAt);
      return [check, ...(isDue ? [{ ...check, rehearse: 'schedule' as const }] : [])];
    });
    for (let at = 0; at < messages.length; at += mostAtOnce) {
      const sent = messages.slice(at, at + mostAtOnce).map((message) => {
        const { secret } = message;
        const delayMs = Math.floor(deps.random() * deps.jitterMs);
        return deps.queues.enqueue(checksQueue, message, { secret, delayMs });
      });
      for (const outcome of await Promise.all(sent)) if (isFailure(outcome)) return outcome;
    }
    checks += messages.filter(({ rehearse }) => rehearse === undefined).length;
  }
  return { kind: 'enqueued', vault: vault.name, checks };
}

async function rehearsedAt({ rehearsals }: CheckDependencies, vault: string) {
  const bySecret = new Map<string, Date | undefined>();
  if (rehearsals === undefined) return { kind: 'rehearsed' as const, bySecret };
  for await (const one of rehearsals.all(vault)) {
    if (isFailure(one)) return one;
    bySecret.set(one.secret.toLowerCase(), one.endedAt);
  }
  return { kind: 'rehearsed' as const, bySecret };
}

export type CheckResult =
  /** `source`: the version that logs in, where it has copies. */
  | { readonly kind: 'healthy'; readonly source?: string }
  | { readonly kind: 'opted-out' }
  /** Somebody is at work on it; what was seen may be half of a rotation. */
  | { readonly kind: 'busy' }
  /** It failed a while ago, and is not to be tried again yet. */
  | { readonly kind: 'held' }
  | Failure;

/** Told by the sweep, which finds them without a read. */
const toldBySweep: ReadonlySet<string> = new Set(['tag-invalid', 'tags-full']);

/**
 * Tries one credential and tells people when it is refused. Changes nothing in the vault or at the target. May be called again: the same
 * drift on the same day is the same news. A failure of class `retry` is no evidence of drift.
 */
export async function performCheck(
  deps: PerformDependencies,
  { vault: name, secret }: CheckRequest,
  signal: AbortSignal,
): Promise<Performed<CheckResult>> {
  const vault = deps.engine.vaults.get(name.toLowerCase());
  if (vault === undefined) return failure('vault-unknown', { vault: name, secret });
  const about = { vault: vault.name, secret };
  const trouble = await deps.attention.of(vault.name, secret);
  if (isFailure(trouble)) return { ...trouble, tryAgainMs: retryBackoff.pauseMs(1, deps.random()) };
  // A drift has no time of its own: every day's check looks again.
  if (trouble.check?.nextTryAt !== undefined && holdByFailures(trouble.check, deps.now())) return { kind: 'held' };
  const seen = await checkDrift(deps.engine, vault, secret, signal);
  const sure = seen.kind === 'drifted' ? await lookUndisturbed(deps, vault, seen, signal) : seen;
  switch (sure.kind) {
    case 'healthy':
      await healed(deps, about, trouble, ['check']);
      return sure;
    case 'drifted': {
      const drift = failure('credential-drifted', { secret, version: sure.version, detail: sure.detail });
      const untold = await reportDrift(deps, { ...sure, ...about, drift });
      return untold === undefined ? drift : { ...untold, tryAgainMs: retryBackoff.pauseMs(1, deps.random()) };
    }
    case 'busy':
      return { ...sure, tryAgainMs: afterLeaseMs };
    case 'opted-out':
      return sure;
    case 'failed': {
      if (toldBySweep.has(sure.code)) return sure;
      const result = { failure: sure, rotationId: '' };
      const tryAgainMs = await settleFailed(deps, 'check', about, result, verdictOf(result, true));
      return { ...sure, ...(tryAgainMs === undefined ? {} : { tryAgainMs }) };
    }
  }
}

/** A rotation in place replaces the password before it publishes the new one: refused in between is no drift. */
async function lookUndisturbed(deps: PerformDependencies, vault: Vault, seen: Drift, signal: AbortSignal) {
  const secret = seen.current.secret.name;
  const acquired = await deps.engine.leases.acquire(vault.name, secret);
  if (acquired.kind !== 'held') return acquired;
  const { lease }: { readonly lease: Lease } = acquired;
  try {
    return await checkDrift(deps.engine, vault, secret, signal, seen);
  } finally {
    await lease.release();
  }
}

export interface Drifted {
  readonly vault: string;
  readonly secret: string;
  readonly version: string;
  readonly notify: readonly string[] | undefined;
  readonly drift: Failure;
}

/** Keeps a drift where people look, and tells them. A rotation that would heal it is not held back by it. */
export async function reportDrift(
  deps: PerformDependencies,
  { vault, secret, version, notify, drift }: Drifted,
): Promise<Failure | undefined> {
  const now = deps.now();
  const { code, message, hint } = drift;
  const failed = { code, message, hint, at: now, counts: true, unpublished: false };
  const kept = await deps.attention.failed(vault, secret, 'check', failed, () => ({ at: undefined, paused: false }));
  if (isFailure(kept)) return kept;
  const since = kept.check?.since ?? now;
  // Once a day for as long as it stays so; after it was healed it is another one.
  const same = shortHash(vault.toLowerCase(), secret.toLowerCase(), version, since.toISOString());
  const notice = {
    id: noticeId('drifted', same, now.toISOString().slice(0, 10)),
    type: 'drifted' as const,
    ...{ vault, secret, rotationId: '', version, at: now.toISOString(), failure: shown(drift) },
    ...(notify === undefined ? {} : { channels: [...notify] }),
  };
  const told = await deps.queues.enqueue(notificationsQueue, notice, { secret });
  return isFailure(told) ? told : undefined;
}
