/**
 * Links that stand on one side only. Both ends are seen by the sweep's own listings, in whichever vaults they are; only of those that do not
 * fit together more is asked, and that by tags alone.
 */
import type { Queues, Vault } from '../contract/ports.ts';
import type { ToldBefore } from '../contract/state.ts';
import { findCopies } from '../engine/copies/find.ts';
import { lookAtSource } from '../engine/copies/link.ts';
import {
  type Also,
  isPattern,
  isSamePlace,
  type LinkedEnd,
  lists,
  type Place,
  sourceOf,
} from '../engine/policy/links.ts';
import type { Policy } from '../engine/policy/policy.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import type { Found } from '../engine/sweep/walk.ts';
import { type Failure, isFailure } from '../errors.ts';
import { notificationsQueue } from './queues.ts';
import { wrong } from './sweep-news.ts';

interface SourceSeen {
  readonly place: Place;
  readonly properties: Found['properties'];
  readonly policy: Policy;
}

interface EndSeen {
  readonly place: Place;
  readonly end: LinkedEnd;
}

/** Both ends of all links that a sweep has come by. As many as there are links, which are few. */
export interface LinksSeen {
  readonly sources: SourceSeen[];
  readonly ends: EndSeen[];
  /** By the clock of the vaults. */
  now: Date;
}

export function noLinks(): LinksSeen {
  return { sources: [], ends: [], now: new Date(0) };
}

/** Remembers the links among what a page shows. */
export function noteLinks(seen: LinksSeen, vault: string, found: readonly Found[], now: Date): void {
  const { sources, ends } = seen;
  seen.now = now;
  for (const { properties, finding, policy } of found) {
    const place = { vault, secret: properties.name };
    if (finding.kind === 'linked') ends.push({ place, end: finding.end });
    else if (policy !== undefined && policy.also.length > 0) sources.push({ place, properties, policy });
  }
}

/** What the sweep has told of links begins with this, as it holds for several vaults and is looked at after all of them. */
const prefix = 'link ';

export function isOfLink(what: string): boolean {
  return what.startsWith(prefix);
}

interface Fault {
  readonly place: Place;
  readonly failure: Failure;
}

interface TellDependencies {
  readonly queues: Queues;
  readonly toldBefore: ToldBefore;
}

/** Tells of each link without consent once, for as long as it stays so. `swept`: names of the vaults that could be listed. */
export async function tellOfLinks(
  deps: TellDependencies & { readonly engine: Pick<EngineDependencies, 'vaults' | 'rotators' | 'defaults'> },
  seen: LinksSeen,
  swept: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const faults = await faultsOf(deps.engine, seen, signal);
  for (const vault of swept) {
    const mine = faults.filter(({ place }) => place.vault === vault);
    const failed = await tellOf(deps, vault, mine, seen.now);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

async function faultsOf(
  engine: Pick<EngineDependencies, 'vaults' | 'rotators' | 'defaults'>,
  { sources, ends }: LinksSeen,
  signal: AbortSignal,
): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  for (const { place, end } of ends) {
    const source = sourceOf(end, place.vault);
    const known = sources.some((one) => isSamePlace(one.place, source) && lists(one.policy.also, one.place, place));
    const looked = known ? undefined : await lookAtSource(engine, place, end, signal);
    if (looked !== undefined && isFailure(looked)) faults.push({ place, failure: looked });
  }
  for (const { place, properties, policy } of sources) {
    const left = policy.also.filter((entry) => !isPattern(entry) && !isAnswered(entry, place, ends));
    const vault = engine.vaults.get(place.vault.toLowerCase());
    if (left.length === 0 || vault === undefined) continue;
    faults.push(
      ...(await notAnswered(engine, vault, { place, properties, policy: { ...policy, also: left } }, signal)),
    );
  }
  return faults.filter(({ failure }) => failure.class === 'config');
}

function isAnswered(entry: Also, source: Place, ends: readonly EndSeen[]): boolean {
  const place = { vault: entry.vault ?? source.vault, secret: entry.name };
  return ends.some((one) => isSamePlace(one.place, place) && isSamePlace(sourceOf(one.end, one.place.vault), source));
}

async function notAnswered(
  { vaults }: Pick<EngineDependencies, 'vaults'>,
  vault: Vault,
  { place, properties, policy }: SourceSeen,
  signal: AbortSignal,
): Promise<readonly Fault[]> {
  const { ends } = await findCopies(vaults, vault, { secret: properties, policy }, signal);
  return ends.flatMap((end) => (end.kind === 'none' ? [{ place, failure: end.failure }] : []));
}

/** What cannot be read of what was told before is told by a later sweep. */
async function tellOf(
  { queues, toldBefore }: TellDependencies,
  vault: string,
  faults: readonly Fault[],
  now: Date,
): Promise<Failure | undefined> {
  const told = new Map<string, { readonly secret: string; readonly what: string }>();
  for await (const one of toldBefore.all(vault)) {
    if (isFailure(one)) return one;
    if (isOfLink(one.what)) told.set(keyOf(one), one);
  }
  for (const { place, failure } of faults) {
    const { what: of, notice } = wrong({ ...place, now }, failure);
    const one = { secret: place.secret, what: `${prefix}${of}` };
    if (told.delete(keyOf(one))) continue;
    const enqueued = await queues.enqueue(notificationsQueue, notice, { secret: place.secret });
    if (isFailure(enqueued)) return enqueued;
    const added = await toldBefore.add(vault, one.secret, one.what);
    if (isFailure(added)) return added;
  }
  for (const { secret, what } of told.values()) {
    const removed = await toldBefore.remove(vault, secret, what);
    if (isFailure(removed)) return removed;
  }
  return undefined;
}

function keyOf({ secret, what }: { readonly secret: string; readonly what: string }): string {
  return `${secret.toLowerCase()} ${what}`;
}
