/** The sweep: what events missed is found by listing alone, and put into the queues. */

import type { Queues, SecretProperties, Vault } from '../contract/ports.ts';
import type { Attention, FreezeState, ToldBefore, Trouble } from '../contract/state.ts';
import { calm, withoutActivity } from '../contract/trouble.ts';
import { dueAtOf } from '../engine/policy/due.ts';
import { holdByFailures, holdOnScheduled } from '../engine/policy/hold.ts';
import { readRequested } from '../engine/policy/requested.ts';
import { isRetirementOpen, readStamp } from '../engine/policy/stamp.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import type { Finding } from '../engine/sweep/judge.ts';
import { type Known, lookAt } from '../engine/sweep/standing.ts';
import { type Found, type SweepReport, walk } from '../engine/sweep/walk.ts';
import { type Failure, isFailure } from '../errors.ts';
import { sweepName as requestedBy } from './held-back.ts';
import { notificationsQueue, retirementsQueue, rotationsQueue } from './queues.ts';
import { type Index, readIndex, type SweepIndexDependencies } from './sweep-index.ts';
import { isOfLink, type LinksSeen, noLinks, noteLinks } from './sweep-links.ts';
import { newsOf } from './sweep-news.ts';
import { troublesOf } from './troubles.ts';

export interface SweepDependencies {
  readonly engine: Pick<EngineDependencies, 'vaults' | 'rotators' | 'defaults'>;
  readonly queues: Queues;
  readonly attention: Pick<Attention, 'all' | 'cleared'>;
  readonly toldBefore: ToldBefore;
  /** Due rotations start spread over this time, in ms, so that a thousand that fell due together do not meet at the vault. */
  /** Looks for shared logins and lost tags. Absent: nothing is looked for. */
  readonly index?: SweepIndexDependencies;
  readonly jitterMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

export interface Swept extends SweepReport {
  /** What is kept beside the vault could not be read: failures hold nothing back, and nothing is told that may have been told before. */
  readonly unread?: Failure;
}

/** How many messages are on their way to the queue at once. */
const mostAtOnce = 16;

/** A try that was planned longer ago than this is not coming any more, in ms. */
const lostAfterMs = 60 * 60 * 1_000;

/**
 * Goes through one vault and enqueues what is to be done. Called again it enqueues the same again, and the engine finds it done. A page
 * that cannot be read ends it with a failure; the next sweep starts anew. `freeze` undefined: it could not be read, and counts as frozen.
 * `links`: gets the ends of links that are found, to be held against those of other vaults.
 */
export async function sweep(
  deps: SweepDependencies,
  vault: Vault,
  freeze: FreezeState | undefined,
  signal: AbortSignal,
  links: LinksSeen = noLinks(),
): Promise<Swept | Failure> {
  const [troubles, told] = await Promise.all([troublesOf(deps.attention, vault.name), readTold(deps, vault)]);
  const sweeping: Sweeping = {
    ...{ deps, vault: vault.name, freeze, seen: new Set(), links },
    troubles: isFailure(troubles) ? new Map() : troubles.bySecret,
    told: isFailure(told) ? undefined : told.whats,
  };
  const index = deps.index === undefined ? undefined : await readIndex(deps.index, vault, signal);
  if (index !== undefined && !isFailure(index)) sweeping.index = index;
  const known = (secret: string) => ({
    ...sweeping.index?.known(secret),
    trouble: sweeping.troubles.get(secret.toLowerCase()),
    freeze: freeze ?? ('unreadable' as const),
  });
  const walking = {
    known,
    act: (found: readonly Found[], now: Date) => actOn(sweeping, found, now, known),
    suspect: (properties: SecretProperties) => sweeping.index?.isSuspect(properties) ?? false,
  };
  const report = await walk(deps.engine, vault, walking, signal);
  if (isFailure(report)) return report;
  const [failed, ended] = [await forgetUnseen(sweeping), await sweeping.index?.end()];
  const unread = [troubles, told, index, failed, ended].find((one) => one !== undefined && isFailure(one));
  return { ...report, ...(unread !== undefined && isFailure(unread) ? { unread } : {}) };
}

interface Sweeping {
  readonly deps: SweepDependencies;
  readonly vault: string;
  readonly freeze: FreezeState | undefined;
  /** Few at any time, by name in lower case. */
  readonly troubles: ReadonlyMap<string, Trouble>;
  /** What was told before and held then; undefined: not known. */
  readonly told: ReadonlyMap<string, { readonly secret: string; readonly what: string }> | undefined;
  readonly links: LinksSeen;
  /** What holds still. */
  readonly seen: Set<string>;
  index?: Index;
}

async function readTold({ toldBefore }: SweepDependencies, { name }: Vault) {
  const whats = new Map<string, { readonly secret: string; readonly what: string }>();
  for await (const one of toldBefore.all(name)) {
    if (isFailure(one)) return one;
    whats.set(keyOf(one.secret, one.what), one);
  }
  return { kind: 'told' as const, whats };
}

function keyOf(secret: string, what: string): string {
  return `${secret.toLowerCase()} ${what}`;
}

async function actOn(
  sweeping: Sweeping,
  listed: readonly Found[],
  now: Date,
  known: (secret: string) => Known,
): Promise<Failure | undefined> {
  const looked = await sweeping.index?.page(listed, now);
  if (looked !== undefined && isFailure(looked)) return looked;
  const { engine, queues } = sweeping.deps;
  for (const { secret, rotationId } of looked?.endings ?? []) {
    const message = { vault: sweeping.vault, secret, rotationId, mode: 'scheduled' as const, requestedBy };
    const failed = await failedOf(queues.enqueue(retirementsQueue, message, { secret }));
    if (failed !== undefined) return failed;
  }
  // Whatever was found of them just now counts already.
  const found = listed.map((one) =>
    looked?.names.has(one.properties.name.toLowerCase()) === true
      ? { ...one, ...lookAt(engine, one.properties, known(one.properties.name), now) }
      : one,
  );
  noteLinks(sweeping.links, sweeping.vault, found, now);
  const busy = found.filter((one) => hasWork(sweeping, one, now));
  for (let at = 0; at < busy.length; at += mostAtOnce) {
    const acts = busy.slice(at, at + mostAtOnce).map((one) => act(sweeping, one, now));
    const failed = (await Promise.all(acts)).find((outcome) => outcome !== undefined);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

/** Most secrets are healthy and have nothing to tell. */
function hasWork({ deps, vault, troubles }: Sweeping, one: Found, now: Date): boolean {
  if (one.finding.kind === 'linked') return false;
  if (one.finding.kind !== 'healthy' || one.standing.state === 'shared') return true;
  return troubles.has(one.properties.name.toLowerCase()) || newsOf(deps.engine, vault, one, now).length > 0;
}

async function act(sweeping: Sweeping, found: Found, now: Date): Promise<Failure | undefined> {
  const { deps, vault, troubles } = sweeping;
  const { finding, properties } = found;
  const secret = finding.kind === 'stalled' ? finding.secret : properties.name;
  const known = troubles.get(secret.toLowerCase()) ?? calm;
  const trouble = finding.kind === 'stalled' ? known : await withoutStale(sweeping, found, known, now);
  // No rotation of it may change anything, so none is begun; an emergency waits until the secrets are separated.
  const isHeld = found.standing.state === 'shared' && finding.kind === 'due';
  const failed = isHeld ? undefined : await start(sweeping, { finding, properties, trouble, secret }, now);
  if (failed !== undefined) return failed;
  for (const { what, notice } of newsOf(deps.engine, vault, found, now)) {
    const untold = await tellOnce(sweeping, secret, what, notice);
    if (untold !== undefined) return untold;
  }
  return undefined;
}

/** What was kept of a secret and has nothing to do with how it is now is forgotten. */
async function withoutStale({ deps, vault }: Sweeping, found: Found, trouble: Trouble, now: Date): Promise<Trouble> {
  let left = trouble;
  for (const activity of staleOf(found, trouble, now)) {
    const cleared = await deps.attention.cleared(vault, found.properties.name, activity);
    // It is looked at again by the next sweep.
    if (!isFailure(cleared)) left = withoutActivity(left, activity);
  }
  return left;
}

/** Pure. */
export function staleOf(
  { properties, policy }: Pick<Found, 'properties' | 'policy'>,
  { rotation, retirement }: Trouble,
  now: Date,
): readonly ('rotation' | 'retirement')[] {
  const { emergency, earlier } = readRequested(properties.tags);
  const lost = rotation?.nextTryAt !== undefined && rotation.nextTryAt.getTime() + lostAfterMs < now.getTime();
  // Somebody has changed it since: what waited for a person need not wait any more.
  const changed = rotation !== undefined && rotation.nextTryAt === undefined && properties.updatedAt > rotation.last.at;
  const notDue = policy !== undefined && now < dueAtOf(properties, policy) && (emergency ?? earlier) === undefined;
  const over = rotation !== undefined && !rotation.unpublished && notDue && (lost || rotation.nextTryAt === undefined);
  return [
    ...(changed || over ? (['rotation'] as const) : []),
    ...(retirement !== undefined && !isRetirementOpen(readStamp(properties.tags)) ? (['retirement'] as const) : []),
  ];
}

interface Starting extends Pick<Found, 'finding' | 'properties'> {
  readonly secret: string;
  readonly trouble: Trouble;
}

async function start(sweeping: Sweeping, starting: Starting, now: Date): Promise<Failure | undefined> {
  const { deps, vault } = sweeping;
  const { finding, secret, trouble } = starting;
  switch (finding.kind) {
    case 'opted-out':
    case 'healthy':
    case 'linked':
    case 'manual-due':
    case 'invalid':
      return undefined;
    case 'due':
      return askRotation(sweeping, starting, now);
    case 'retirement-due': {
      const failed =
        (await askRetirement(sweeping, finding, starting, now)) ??
        (finding.copies === true ? await askResume(sweeping, starting, now) : undefined);
      return failed !== undefined || !finding.due ? failed : askRotation(sweeping, starting, now);
    }
    case 'emergency': {
      if (holdByFailures(trouble.rotation, now) !== undefined) return undefined;
      const { rotationId, by, version } = finding;
      const who = by === '' ? {} : { requestedById: by };
      const about = version === undefined ? {} : { version };
      const message = { vault, secret, mode: 'emergency' as const, rotationId, requestedBy, ...who, ...about };
      return failedOf(deps.queues.enqueue(rotationsQueue, message, { secret }));
    }
    case 'copies-due':
    case 'stalled':
      return askResume(sweeping, starting, now);
  }
}

/** Of what was begun: a stored candidate, or copies that are not known to be current. */
async function askResume(
  { deps, vault }: Sweeping,
  { secret, trouble }: Starting,
  now: Date,
): Promise<Failure | undefined> {
  if (holdByFailures(trouble.rotation, now) !== undefined) return undefined;
  const message = { vault, secret, mode: 'resume' as const, requestedBy };
  return failedOf(deps.queues.enqueue(rotationsQueue, message, { secret }));
}

async function askRotation(
  { deps, vault, freeze }: Sweeping,
  { secret, trouble, properties }: Starting,
  now: Date,
): Promise<Failure | undefined> {
  const requested = readRequested(properties.tags);
  if (holdOnScheduled({ freeze, requested, trouble, now }) !== undefined) return undefined;
  const delayMs = Math.floor(deps.random() * deps.jitterMs);
  const message = { vault, secret, mode: 'scheduled' as const, requestedBy };
  return failedOf(deps.queues.enqueue(rotationsQueue, message, { secret, delayMs }));
}

async function askRetirement(
  { deps, vault }: Sweeping,
  { rotationId }: Extract<Finding, { kind: 'retirement-due' }>,
  { secret, trouble }: Starting,
  now: Date,
): Promise<Failure | undefined> {
  if (holdByFailures(trouble.retirement, now) !== undefined) return undefined;
  const message = { vault, secret, rotationId, mode: 'scheduled' as const, requestedBy };
  return failedOf(deps.queues.enqueue(retirementsQueue, message, { secret }));
}

async function failedOf(enqueued: ReturnType<Queues['enqueue']>): Promise<Failure | undefined> {
  const outcome = await enqueued;
  return isFailure(outcome) ? outcome : undefined;
}

/** What holds is said once, not every quarter of an hour. */
async function tellOnce(
  { deps, vault, told, seen }: Sweeping,
  secret: string,
  what: string,
  notice: ReturnType<typeof newsOf>[number]['notice'],
): Promise<Failure | undefined> {
  const key = keyOf(secret, what);
  seen.add(key);
  if (told === undefined || told.has(key)) return undefined;
  const enqueued = await deps.queues.enqueue(notificationsQueue, notice, { secret });
  if (isFailure(enqueued)) return enqueued;
  const added = await deps.toldBefore.add(vault, secret, what);
  return isFailure(added) ? added : undefined;
}

/** What does not hold any more is told again when it comes back. */
async function forgetUnseen({ deps, vault, told, seen }: Sweeping): Promise<Failure | undefined> {
  for (const [key, { secret, what }] of told ?? []) {
    if (seen.has(key) || isOfLink(what)) continue;
    const removed = await deps.toldBefore.remove(vault, secret, what);
    if (isFailure(removed)) return removed;
  }
  return undefined;
}
