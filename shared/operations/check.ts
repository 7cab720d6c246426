/** Drift: does the vault's current credential still log in? Asked of every managed secret once a day, a message each. */

import * as z from 'zod';
import { noticeId } from '../contract/notice.ts';
import type { Lease, QueueOf, Queues, Vault } from '../contract/ports.ts';
import { queueNames } from '../contract/queue-names.ts';
import { shortHash } from '../engine/policy/identifiers.ts';
import { rotationRequest } from '../engine/policy/request.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import { judge } from '../engine/sweep/judge.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import { checkDrift } from './inspect.ts';
import type { PerformDependencies } from './perform.ts';
import { notificationsQueue } from './queues.ts';

/** Also the queue message `checks`. */
export const checkRequest = z.object({
  vault: rotationRequest.shape.vault,
  secret: rotationRequest.shape.secret,
});

export type CheckRequest = z.infer<typeof checkRequest>;

/** Credentials to try with a login. */
export const checksQueue: QueueOf<CheckRequest> = { name: queueNames.checks, schema: checkRequest };

export interface CheckDependencies {
  readonly engine: Pick<EngineDependencies, 'vaults' | 'rotators' | 'defaults'>;
  readonly queues: Queues;
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
  let checks = 0;
  for await (const page of vault.list({ signal })) {
    if (isFailure(page)) return page;
    const managed = page.secrets.filter((secret) =>
      // What cannot be read is told by the sweep; a stored candidate is nobody's credential yet.
      ['healthy', 'due', 'retirement-due'].includes(judge(deps.engine, secret, page.readAt).kind),
    );
    for (let at = 0; at < managed.length; at += mostAtOnce) {
      const sent = managed.slice(at, at + mostAtOnce).map(({ name: secret }) => {
        const delayMs = Math.floor(deps.random() * deps.jitterMs);
        return deps.queues.enqueue(checksQueue, { vault: vault.name, secret }, { secret, delayMs });
      });
      for (const outcome of await Promise.all(sent)) if (isFailure(outcome)) return outcome;
    }
    checks += managed.length;
  }
  return { kind: 'enqueued', vault: vault.name, checks };
}

export type CheckResult =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'opted-out' }
  /** Somebody is at work on it; what was seen may be half of a rotation. */
  | { readonly kind: 'busy' }
  | Failure;

/**
 * Tries one credential and tells people when it is refused. Changes nothing in the vault or at the target. May be called again: the same
 * drift on the same day is the same news. A failure of class `retry` is no evidence of drift.
 */
export async function performCheck(
  deps: PerformDependencies,
  { vault: name, secret }: CheckRequest,
  signal: AbortSignal,
): Promise<CheckResult> {
  const vault = deps.engine.vaults.get(name.toLowerCase());
  if (vault === undefined) return failure('vault-unknown', { vault: name, secret });
  const seen = await checkDrift(deps.engine, vault, secret, signal);
  const sure = seen.kind === 'drifted' ? await lookUndisturbed(deps, vault, secret, signal) : seen;
  switch (sure.kind) {
    case 'healthy':
      await forget(deps, vault.name, secret);
      return sure;
    case 'drifted': {
      const drift = failure('credential-drifted', { secret, version: sure.version, detail: sure.detail });
      return (await report(deps, { ...sure, vault: vault.name, secret, drift })) ?? drift;
    }
    case 'opted-out':
    case 'busy':
    case 'failed':
      return sure;
  }
}

/** A rotation in place replaces the password before it publishes the new one: refused in between is no drift. */
async function lookUndisturbed(deps: PerformDependencies, vault: Vault, secret: string, signal: AbortSignal) {
  const acquired = await deps.engine.leases.acquire(vault.name, secret);
  if (acquired.kind !== 'held') return acquired;
  const { lease }: { readonly lease: Lease } = acquired;
  try {
    return await checkDrift(deps.engine, vault, secret, signal);
  } finally {
    await lease.release();
  }
}

interface Drifted {
  readonly vault: string;
  readonly secret: string;
  readonly version: string;
  readonly notify: readonly string[] | undefined;
  readonly drift: Failure;
}

/** Keeps it where people look, without counting towards a quarantine: the rotation that would heal it must not be held back by it. */
async function report(
  deps: PerformDependencies,
  { vault, secret, version, notify, drift }: Drifted,
): Promise<Failure | undefined> {
  const now = deps.now();
  const { code, message, hint, page } = drift;
  const before = await deps.attention.of(vault, secret);
  if (isFailure(before)) return before;
  if (before.failures === 0) {
    const kept = await deps.attention.failed(vault, secret, { code, message, hint, at: now }, Number.POSITIVE_INFINITY);
    if (isFailure(kept)) return kept;
  }
  const day = now.toISOString().slice(0, 10);
  const notice = {
    id: noticeId('drifted', shortHash(vault.toLowerCase(), secret.toLowerCase(), version), day),
    type: 'drifted' as const,
    vault,
    secret,
    rotationId: '',
    version,
    at: now.toISOString(),
    failure: { code, message, hint, page },
    ...(notify === undefined ? {} : { channels: [...notify] }),
  };
  const told = await deps.queues.enqueue(notificationsQueue, notice, { secret });
  return isFailure(told) ? told : undefined;
}

/** A drift that was mended is no trouble any more; what a rotation ran into stays until one succeeds. */
async function forget(deps: PerformDependencies, vault: string, secret: string): Promise<void> {
  const trouble = await deps.attention.of(vault, secret);
  if (isFailure(trouble) || trouble.last?.code !== 'credential-drifted') return;
  const cleared = await deps.attention.cleared(vault, secret);
  if (isFailure(cleared)) deps.log.warn('attention-not-kept', { secret, code: cleared.code });
}
