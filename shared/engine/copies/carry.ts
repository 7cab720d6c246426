/**
 * Brings what a source publishes to its copies. A copy is written once for a rotation: its stamp bears the id, so that whoever comes next
 * finds from the vaults alone which copies are done. The source says in its own stamp that copies are due, until each of them was read back.
 */
import type { Credential } from '../../contract/credential.ts';
import type { SecretVersion, Vault, WriteOutcome } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { isSamePlace, type Place, placeText, readLinkedEnd, sourceOf } from '../policy/links.ts';
import { readStamp, type Stamp, withStamp } from '../policy/stamp.ts';
import { ask } from '../running/ask.ts';
import type { Attempt, StepTime } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import { prepare, readValue } from '../running/target.ts';
import { behind, type Copy, findCopies, within } from './find.ts';
import { heldBefore } from './held-before.ts';
import { notNaming } from './link.ts';
import { fitted, isOurs, type Original } from './value.ts';

export interface Carrying {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly attempt: Attempt;
}

/** A copy that was seen to hold what its source holds. */
export interface Held {
  readonly kind: 'held';
  readonly place: Place;
  readonly version: string;
  readonly consumers: readonly string[];
}

export interface Brought {
  readonly kind: 'brought';
  readonly held: readonly Held[];
  readonly failed: readonly Failure[];
}

type Source = Current & { readonly stamp: Stamp };

/**
 * Brings every copy up to date, and says which could not be. `proven`: the source's credential was seen to log in by this attempt; otherwise
 * it is tried first, as a person may have carried the tags over to a version of their own. Never fails as a whole but for that proof.
 */
export async function bringCopies(work: Carrying, source: Source, proven: boolean): Promise<Brought | Failure> {
  const { deps, vault, attempt } = work;
  const value = readValue(source.secret, source.policy);
  if (isFailure(value)) return value;
  const { ends } = await attempt
    .step('find copies', ({ signal }) => findCopies(deps.vaults, vault, source, signal))
    .then((found) => (isFailure(found) ? { ends: found } : found));
  if ('kind' in ends) return ends;
  let isProven = proven;
  const held: Held[] = [];
  const failed: Failure[] = [];
  for (const end of ends) {
    if (end.kind === 'none') {
      failed.push(end.failure);
      continue;
    }
    const one = { ...work, source, original: { policy: source.policy, value: value.value }, copy: end };
    let brought = await attempt.step(`copy ${end.shown}`, (time) => bring(one, isProven, shortened(time)));
    if (brought.kind === 'unproven') {
      const refused = await prove(work, source);
      if (refused !== undefined) return refused;
      isProven = true;
      brought = await attempt.step(`copy ${end.shown}`, (time) => bring(one, isProven, shortened(time)));
    }
    if (isFailure(brought)) failed.push(brought);
    if (brought.kind === 'held') held.push(brought);
  }
  // Copies may stand in a vault whose clock is another one; whatever comes next is about the source.
  attempt.vaultClock(source.secret.readAt);
  return { kind: 'brought', held, failed };
}

function shortened(time: StepTime): StepTime {
  return { ...time, signal: within(time.signal) };
}

interface One extends Carrying {
  readonly source: Source;
  readonly original: Original;
  readonly copy: Copy;
}

async function bring(
  work: One,
  proven: boolean,
  time: StepTime,
): Promise<Held | { readonly kind: 'unproven' } | Failure> {
  const read = await readCopy(work, time);
  if (isFailure(read)) return read;
  const fits = fitted(work.original, work.copy, read.secret);
  if (fits.kind === 'unfit') return unfit(work, fits.detail);
  if (fits.isCurrent) return follow(work, read.secret);
  const before = writtenBefore(work, read.secret);
  if (before === 'as-published') return follow(work, read.secret);
  if (before === 'overwritten') return overwrittenBy(work, read.secret, 'it was written for this rotation before');
  if (!proven) return { kind: 'unproven' };
  const strange = await notOfSource(work, read.secret, fits.held, time);
  if (strange !== undefined) return strange;
  const stamp = stampFor(work, read.secret.version);
  work.attempt.vaultClock(read.secret.readAt);
  await work.attempt.secondAfter(read.secret.updatedAt, time.signal);
  const written = await write(work, read.secret, fits.value, stamp, time);
  const back = await readCopy(work, time);
  if (isFailure(back)) return isFailure(written) ? behind(work.source.secret.name, work.copy.shown, written) : back;
  const now = fitted(work.original, work.copy, back.secret);
  if (now.kind === 'fitted' && now.isCurrent) return follow(work, back.secret);
  if (isFailure(written)) return behind(work.source.secret.name, work.copy.shown, written);
  return overwrittenBy(work, back.secret, 'it was there when the copy was read back');
}

/** A link whose consent was withdrawn since the tags were listed is left alone. */
async function readCopy(
  { source, copy, vault }: One,
  { signal }: StepTime,
): Promise<{ readonly kind: 'read'; readonly secret: SecretVersion } | Failure> {
  const read = await copy.vault.read(copy.place.secret, { signal });
  if (isFailure(read)) return behind(source.secret.name, copy.shown, read);
  const from = { vault: vault.name, secret: source.secret.name };
  if (read.kind !== 'found') {
    const detail = `its newest version is ${read.kind === 'disabled' ? 'disabled; enable it' : 'gone'}`;
    return failure('copy-unfit', { secret: source.secret.name, copy: copy.shown, detail });
  }
  const end = readLinkedEnd(read.secret.tags);
  if (end?.kind === 'linked' && isSamePlace(sourceOf(end, copy.place.vault), from))
    return { kind: 'read', secret: read.secret };
  return notNaming(from, copy.place, read.secret);
}

function unfit({ source, copy }: One, detail: string): Failure {
  return failure('copy-unfit', { secret: source.secret.name, copy: copy.shown, detail });
}

/** A derived secret that Keyturn has never written must hold a key of the source: the one that it publishes or one that it has replaced. */
async function notOfSource(
  work: One,
  secret: SecretVersion,
  held: Credential,
  { signal }: StepTime,
): Promise<Failure | undefined> {
  const { copy, source, vault } = work;
  if (copy.end.as === 'copy' || isOurs(secret)) return undefined;
  const found = await heldBefore(vault, source, held.password, signal);
  if (isFailure(found)) return found;
  const shown = placeText({ vault: vault.name, secret: source.secret.name });
  if (found.before) return undefined;
  // Without evidence that it is the source's it is not overwritten.
  const unread =
    found.unread.length === 0 ? '' : `, as far as its versions can be read (not ${found.unread.join(', ')})`;
  return unfit(work, `it holds another key than ${shown}${unread}`);
}

/**
 * What a copy holds that was written for this rotation before. `as-published`: what Keyturn wrote there; somebody has changed the source since
 * without another rotation, and whoever reads the copy has a credential of this one. Undefined: it was not written yet.
 */
function writtenBefore(work: One, secret: SecretVersion): 'as-published' | 'overwritten' | undefined {
  const { rotationId, retired = false } = work.source.stamp;
  const before = work.copy.versions.filter(({ tags }) => {
    const stamp = readStamp(tags);
    return stamp?.rotationId === rotationId && (!dropsPrevious(work) || (stamp.retired ?? false) === retired);
  });
  if (before.length === 0) return undefined;
  return before.length === 1 && before[0]?.version === secret.version ? 'as-published' : 'overwritten';
}

/** The end of a self-issued credential publishes once more, and so do its copies. */
function dropsPrevious({ source }: One): boolean {
  return !strategyTraits[source.policy.strategy].hasTarget;
}

function overwrittenBy({ source, copy }: One, { version }: SecretVersion, detail: string): Failure {
  return failure('copy-overwritten', { secret: source.secret.name, copy: copy.shown, version, detail });
}

function stampFor(work: One, from: string): Stamp {
  const { rotationId, retired } = work.source.stamp;
  return { rotationId, from, ...(retired === true && dropsPrevious(work) ? { retired } : {}) };
}

async function write(
  { copy, source }: One,
  secret: SecretVersion,
  value: SecretVersion['value'],
  stamp: Stamp,
  { signal }: StepTime,
): Promise<WriteOutcome> {
  const { contentType, tags } = secret;
  const { expiresAt } = source.secret;
  return copy.vault.write(
    copy.place.secret,
    {
      value,
      tags: withStamp(tags, stamp),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(contentType === undefined ? {} : { contentType }),
    },
    { signal },
  );
}

/** Whoever reads the copy is told, once. A copy that somebody else brought up to date has no news. */
async function follow({ deps, copy, source }: One, secret: SecretVersion): Promise<Held | Failure> {
  const { consumers, notify } = copy.end;
  const { version } = secret;
  const held = { kind: 'held' as const, place: copy.place, version, consumers };
  const stamp = readStamp(secret.tags);
  if (stamp === undefined || stamp.rotationId !== source.stamp.rotationId || stamp.retired === true) return held;
  const followed = await deps.followUps.published(
    {
      rotationId: stamp.rotationId,
      ...copy.place,
      ...{ from: stamp.from, to: version, retireBy: undefined, expiresAt: secret.expiresAt },
      ...{ notify, consumers, isCopy: true, warnings: [], now: secret.readAt },
    },
    true,
  );
  return isFailure(followed) ? followed : held;
}

async function prove(work: Carrying, source: Source): Promise<Failure | undefined> {
  const { deps, vault, attempt } = work;
  if (!strategyTraits[source.policy.strategy].hasTarget) return undefined;
  const about = { rotationId: source.stamp.rotationId, emergency: false };
  const target = await attempt.step('prepare', ({ signal }) => prepare(deps, vault, source, about, signal));
  if (isFailure(target)) return target;
  const answer = await attempt.step('prove', (time) => ask(source, target, target.credential, time));
  if (isFailure(answer)) return answer;
  const { name, version } = source.secret;
  return answer.accepted ? undefined : failure('credential-drifted', { secret: name, version, detail: answer.detail });
}

/** Takes the mark off that copies are due. An update of the source, not a version. May be called again. */
export async function settleCopies({ vault, attempt }: Carrying, source: Source): Promise<Current | Failure> {
  if (source.stamp.copiesDue !== true) return source;
  const { copiesDue: _done, ...stamp } = source.stamp;
  const { secret } = source;
  const tags = withStamp(secret.tags, stamp);
  const changed = await attempt.step('copies done', ({ signal }) =>
    vault.change(secret.name, secret.version, { tags }, { signal }),
  );
  if (isFailure(changed)) return changed;
  return { ...source, stamp, secret: { ...secret, tags, updatedAt: changed.secret.updatedAt } };
}

/** Brings all copies up to date where any is due, or says which could not be. Nothing where none is due. */
export async function carryDue(work: Carrying, current: Current, proven: boolean): Promise<Current | Failure> {
  const { stamp } = current;
  if (stamp?.copiesDue !== true) return current;
  const source = { ...current, stamp };
  const brought = await bringCopies(work, source, proven);
  if (isFailure(brought)) return brought;
  return allOf(brought.failed) ?? settleCopies(work, source);
}

/** One failure for all; what only a person can put right comes first. */
export function allOf(failed: readonly Failure[]): Failure | undefined {
  const first = failed.find((one) => one.class !== 'retry') ?? failed[0];
  if (first === undefined || failed.length === 1) return first;
  const others = failed.filter((one) => one !== first).map(({ message }) => message);
  return { ...first, message: [first.message, ...others].join('; ') };
}
