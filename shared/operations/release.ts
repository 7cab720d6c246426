/** A secret leaves Keyturn: its overlap ends, and the tags that are Keyturn's are taken away. Its credential goes on working. */
import type { Lease, Tags, Vault } from '../contract/ports.ts';
import { activities, type Irregularities } from '../contract/state.ts';
import { pendingNameOf } from '../engine/policy/identifiers.ts';
import type { Listed } from '../engine/policy/origin.ts';
import { managedTags } from '../engine/policy/policy.ts';
import { readRequested, requestedTag } from '../engine/policy/requested.ts';
import { revocationText } from '../engine/policy/revocation.ts';
import { isRetirementOpen, readStamp, revokedOf, type Stamp, stampTag } from '../engine/policy/stamp.ts';
import type { RetirementResult } from '../engine/retirement/result.ts';
import { leaseMarginMs } from '../engine/running/attempt.ts';
import { type Failure, isFailure } from '../errors.ts';
import { acquirePatiently } from './pause.ts';
import { type PerformDependencies, performRetirement } from './perform.ts';

export interface ReleaseDependencies extends PerformDependencies {
  readonly irregularities: Irregularities;
}

export interface ReleasePlan {
  readonly kind: 'plan';
  /** The old credential that is ended first. */
  readonly overlap: (Stamp & { readonly retireBy: Date }) | undefined;
  /** Newest first: only versions that lose something. */
  readonly versions: readonly { readonly version: string; readonly taken: readonly string[]; readonly tags: Tags }[];
  /** What stays on the current version. */
  readonly left: Tags;
}

export type ReleasePlanned =
  | ReleasePlan
  /** No version has a tag of Keyturn's. */
  | { readonly kind: 'nothing' }
  /** Something is not finished, or hangs on this secret. */
  | { readonly kind: 'held'; readonly detail: string }
  | Failure;

/** What a release would do. Changes nothing. */
export async function planRelease(
  { engine }: Pick<ReleaseDependencies, 'engine'>,
  vault: Vault,
  secret: string,
  signal: AbortSignal,
): Promise<ReleasePlanned> {
  const listed = await vault.versions(secret, { signal });
  if (isFailure(listed)) return listed;
  const [newest] = listed.versions;
  const taken = listed.versions.map((one) => ({ version: one.version, ...without(one.tags, engine) }));
  const versions = taken.filter((one) => one.taken.length > 0);
  if (newest === undefined || versions.length === 0) return { kind: 'nothing' };
  const unfinished = heldBy(newest) ?? (await candidateOf(vault, newest, signal));
  if (typeof unfinished === 'string') return { kind: 'held', detail: unfinished };
  if (unfinished !== undefined) return unfinished;
  const managed = listed.versions.find(({ tags }) => tags['rotator'] !== undefined) ?? newest;
  const stamp = readStamp(managed.tags);
  const overlap = isRetirementOpen(stamp) ? stamp : undefined;
  return { kind: 'plan', overlap, versions, left: without(newest.tags, engine).tags };
}

/** The mark of a revoked credential stays: nothing may bring it back, whoever looks after the secret next. */
function without(given: Tags, { rotators }: ReleaseDependencies['engine']) {
  const ours = new Set([...managedTags(rotators.get(given['rotator'] ?? '')), stampTag, requestedTag]);
  const revoked = revokedOf(given);
  const mark = revoked === undefined ? undefined : `revoked=${revocationText(revoked)}`;
  const taken = Object.keys(given).filter((name) => ours.has(name) && given[name] !== mark);
  const kept = Object.entries(given).filter(([name]) => !ours.has(name));
  return { taken, tags: { ...Object.fromEntries(kept), ...(mark === undefined ? {} : { [stampTag]: mark }) } };
}

function heldBy({ name, tags }: Listed): string | undefined {
  const source = tags['copy-of'] ?? tags['derived-from'];
  if (source !== undefined)
    return `${name} is published together with ${source}; take it out of the tag "also" there, and its own tags off, first`;
  if (tags['also'] !== undefined || /(^|;)\s*also\s*=/.test(tags['policy'] ?? ''))
    return `${name} has copies that are published with it; take its tag "also" and theirs "copy-of" off first`;
  const { emergency, earlier } = readRequested(tags);
  return emergency === undefined && earlier === undefined
    ? undefined
    : `an emergency of ${name} is not finished; see "keyturn show ${name}"`;
}

/** A target may depend on a stored candidate that is not published yet. */
async function candidateOf(vault: Vault, newest: Listed, signal: AbortSignal): Promise<string | Failure | undefined> {
  const listed = await vault.versions(pendingNameOf(newest.name), { signal });
  if (isFailure(listed)) return listed;
  const isOpen = listed.versions.some(({ enabled, tags }) => enabled && readStamp(tags)?.from === newest.version);
  return isOpen
    ? `a rotation of ${newest.name} is not finished; finish it with "keyturn rotate ${newest.name}"`
    : undefined;
}

export type Released =
  | { readonly kind: 'released'; readonly plan: ReleasePlan; readonly retired: readonly string[] }
  /** The old credential is in use. Nothing was taken away. */
  | { readonly kind: 'waiting'; readonly result: Extract<RetirementResult, { kind: 'waiting' }> }
  | { readonly kind: 'busy' }
  | Exclude<ReleasePlanned, ReleasePlan>;

/** Ends the overlap, then takes the tags away, the newest version last: one that stopped in the middle is gone on with. May be called again. */
export async function release(
  deps: ReleaseDependencies,
  vault: Vault,
  secret: string,
  asker: { readonly requestedBy: string; readonly requestedById: string; readonly reason: string },
  signal: AbortSignal,
): Promise<Released> {
  const planned = await planRelease(deps, vault, secret, signal);
  if (planned.kind !== 'plan') return planned;
  const ended = await endOverlap(deps, { vault: vault.name, secret }, planned, asker);
  if (ended.kind !== 'ended') return ended;
  const acquired = await acquirePatiently(deps, vault, secret, signal);
  if (acquired.kind !== 'held') return acquired;
  try {
    // The end of the overlap wrote into the tags, and a rotation may have been made meanwhile.
    const again = await planRelease(deps, vault, secret, signal);
    if (again.kind !== 'plan') return again;
    if (again.overlap !== undefined) return { kind: 'busy' };
    const failed =
      (await takeAway(vault, secret, again, acquired.lease, signal)) ?? (await forget(deps, vault.name, secret));
    return failed ?? { kind: 'released', plan: again, retired: ended.logins };
  } finally {
    await acquired.lease.release();
  }
}

async function endOverlap(
  deps: ReleaseDependencies,
  about: { readonly vault: string; readonly secret: string },
  { overlap }: ReleasePlan,
  asker: { readonly requestedBy: string; readonly requestedById: string; readonly reason: string },
): Promise<
  | { readonly kind: 'ended'; readonly logins: readonly string[] }
  | Extract<Released, { kind: 'waiting' | 'busy' }>
  | Failure
> {
  if (overlap === undefined) return { kind: 'ended', logins: [] };
  const request = { ...about, ...asker, rotationId: overlap.rotationId, mode: 'asked' as const };
  const result = await performRetirement(deps, request);
  switch (result.kind) {
    case 'retired':
      return { kind: 'ended', logins: result.logins };
    case 'waiting':
      return { kind: 'waiting', result };
    case 'skipped':
      return result.reason === 'busy' ? { kind: 'busy' } : { kind: 'ended', logins: [] };
    case 'failed':
      return result.failure;
  }
}

async function takeAway(
  vault: Vault,
  secret: string,
  { versions }: ReleasePlan,
  lease: Lease,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  for (const { version, tags } of versions.toReversed()) {
    const within = AbortSignal.timeout(Math.max(1, Math.floor(lease.remainingMs() - leaseMarginMs)));
    const written = await vault.change(secret, version, { tags }, { signal: AbortSignal.any([signal, within]) });
    if (isFailure(written)) return written;
  }
  return undefined;
}

/** What is kept beside the vault would count it among those that lost their tags. */
async function forget(deps: ReleaseDependencies, vault: string, secret: string): Promise<Failure | undefined> {
  const place = { vault, secret };
  const outcomes = [
    await deps.irregularities.change(place, () => ({})),
    await deps.engine.logins.forget(place),
    ...(await Promise.all(activities.map((activity) => deps.attention.cleared(vault, secret, activity)))),
  ];
  return outcomes.find(isFailure);
}
