/**
 * The sweep: what events missed, by listing alone. One call of the vault a page, no call a secret, nothing kept of a secret once its page
 * is done.
 */

import { noticeId } from '../contract/notice.ts';
import type { Queues, SecretProperties, Vault } from '../contract/ports.ts';
import type { Marks } from '../contract/state.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import { unknownChannels } from './channels.ts';
import { policyOf } from './current.ts';
import type { EngineDependencies } from './dependencies.ts';
import { isDue } from './due.ts';
import { isPendingName, isSecretName, pendingNameOf, shortHash } from './identifiers.ts';
import { oneAhead } from './one-ahead.ts';
import type { ParsePolicy } from './policy.ts';
import { rememberingPolicies } from './policy-memory.ts';
import { notificationsQueue, retirementsQueue, rotationsQueue } from './queues.ts';
import { pendingOfTag, readStamp, type Stamp } from './stamp.ts';

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

/** What one look at a secret's properties found. */
export type Finding =
  | { readonly kind: 'opted-out' }
  | { readonly kind: 'healthy' }
  | { readonly kind: 'due' }
  /** `due`: the secret is to be rotated too, so that a retirement that fails for ever is not followed by an expiry. */
  | { readonly kind: 'retirement-due'; readonly rotationId: string; readonly due: boolean }
  /** A stored candidate of `secret` waits: its rotation stopped half-way, or was never tidied up. */
  | { readonly kind: 'stalled'; readonly secret: string }
  | { readonly kind: 'invalid'; readonly failure: Failure };

export interface SweepReport {
  readonly kind: 'swept';
  readonly vault: string;
  readonly pages: number;
  readonly listed: number;
  readonly managed: number;
  readonly due: number;
  readonly retirements: number;
  readonly stalled: number;
  readonly invalid: number;
}

/** How many messages are on their way to the queue at once. */
const mostAtOnce = 16;

/** Judges one secret by what a listing says of it. Pure. */
export function judge(
  deps: SweepDependencies['engine'],
  properties: SecretProperties,
  now: Date,
  parse?: ParsePolicy,
): Finding {
  const stamp = readStamp(properties.tags);
  if (isPendingName(properties.name)) return judgePending(properties, stamp);
  const outcome = policyOf(deps, properties, parse);
  if (isFailure(outcome)) return { kind: 'invalid', failure: outcome };
  if (outcome.kind === 'opted-out') return outcome;
  const request = { mode: 'scheduled' as const };
  // A listing of names tells no version; the worker reads it, and finds duplicates by it.
  const due = isDue({ properties, stamp, request, rotationId: '', now }, outcome.policy);
  if (stamp?.retireBy !== undefined && stamp.retired !== true && now >= stamp.retireBy) {
    return { kind: 'retirement-due', rotationId: stamp.rotationId, due };
  }
  return { kind: due ? 'due' : 'healthy' };
}

/** Anybody may have written such a name and its tags: only what leads back to the very secret it is stored for counts. */
function judgePending({ name, tags, enabled }: SecretProperties, stamp: Stamp | undefined): Finding {
  const secret = tags[pendingOfTag];
  if (stamp === undefined && tags['rotator'] !== undefined) {
    const detail = `is of no effect: names that end like ${name} are kept for stored candidates. Store the secret under another name`;
    return {
      kind: 'invalid',
      failure: failure('tag-invalid', { secret: name, problems: [{ tag: 'rotator', detail }] }),
    };
  }
  const isOurs =
    secret !== undefined && isSecretName(secret) && pendingNameOf(secret).toLowerCase() === name.toLowerCase();
  return stamp === undefined || !isOurs || !enabled ? { kind: 'opted-out' } : { kind: 'stalled', secret };
}

/**
 * Goes through one vault and enqueues what is to be done. Called again it enqueues the same again, and the engine finds it done. A page
 * that cannot be read ends it with a failure; the next sweep starts anew.
 */
export async function sweep(
  deps: SweepDependencies,
  vault: Vault,
  signal: AbortSignal,
): Promise<SweepReport | Failure> {
  const parse = rememberingPolicies();
  const counts = { pages: 0, listed: 0, managed: 0, due: 0, retirements: 0, stalled: 0, invalid: 0 };
  for await (const page of oneAhead(vault.list({ signal }))) {
    if (isFailure(page)) return page;
    counts.pages++;
    counts.listed += page.secrets.length;
    const found: Found[] = [];
    for (const secret of page.secrets) {
      const finding = judge(deps.engine, secret, page.readAt, parse);
      count(counts, finding);
      if (finding.kind !== 'opted-out' && finding.kind !== 'healthy') found.push({ secret: secret.name, finding });
      const unknown =
        finding.kind === 'opted-out' ? undefined : unknownChannels(deps.engine.defaults, secret.name, secret.tags);
      // The secret itself is fine, so it is told of and not counted.
      if (unknown !== undefined) found.push({ secret: secret.name, finding: { kind: 'invalid', failure: unknown } });
    }
    const failed = await actOn(deps, vault.name, found, page.readAt);
    if (failed !== undefined) return failed;
  }
  return { kind: 'swept', vault: vault.name, ...counts };
}

interface Found {
  readonly secret: string;
  readonly finding: Finding;
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

function count(
  counts: { managed: number; due: number; retirements: number; stalled: number; invalid: number },
  finding: Finding,
): void {
  if (finding.kind === 'opted-out') return;
  if (finding.kind === 'stalled') {
    counts.stalled++;
    return;
  }
  counts.managed++;
  if (finding.kind === 'due' || (finding.kind === 'retirement-due' && finding.due)) counts.due++;
  if (finding.kind === 'retirement-due') counts.retirements++;
  if (finding.kind === 'invalid') counts.invalid++;
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
