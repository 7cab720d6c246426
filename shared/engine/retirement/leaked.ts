/**
 * The end of a credential that leaked, that somebody named by its version, and that is not current any more: revoked where it is, with its
 * sessions, and its version marked. No version is made, and the current one is left alone.
 */
import { credentialName } from '../../contract/credential.ts';
import type { SecretProperties, Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { endCopies, type Replaced } from '../copies/end.ts';
import type { Current } from '../policy/current.ts';
import { rotationIdOf } from '../policy/identifiers.ts';
import { type EarlierAsked, withRequested } from '../policy/requested.ts';
import { readStamp, revokedOf } from '../policy/stamp.ts';
import type { Attempt, StepTime } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import { readEarlier } from '../running/previous.ts';
import { prepare, type Target } from '../running/target.ts';
import { vouchesFor } from '../running/vouch.ts';
import { withWakeUp } from '../running/wake-up.ts';
import { refuseShared } from '../sharing/refuse.ts';
import { type Ended, type Ending, endAll, isPublished, notOurs } from './end.ts';

interface Work {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly attempt: Attempt;
  readonly request: { readonly requestedBy: string };
}

export type LeakedOutcome =
  /** It is dead and bears the mark. `ended` is absent where that was so before. */
  | { readonly kind: 'revoked'; readonly current: Current; readonly login: string; readonly ended?: Ended }
  /** The current version holds the same credential: an emergency about the one is an emergency about the other. */
  | { readonly kind: 'current' }
  /** It is what the current version replaced: the stamp of that one says what becomes of it, and a retirement does it. */
  | { readonly kind: 'replaced' }
  /** The vault holds no such version any more. */
  | { readonly kind: 'missing'; readonly current: Current }
  | Failure;

type Listed = SecretProperties & { readonly version: string };

/** `listed`: all versions of the secret. May be called again at any point: what is dead stays dead, and the mark ends it. */
export async function endLeaked(
  work: Work,
  current: Current,
  leaked: EarlierAsked,
  listed: readonly Listed[],
): Promise<LeakedOutcome> {
  const { deps, vault, attempt } = work;
  const found = listed.find(({ version }) => version === leaked.version);
  if (found === undefined) return cleared(work, current, leaked, (left) => ({ kind: 'missing', current: left }));
  if (revokedOf(found.tags) !== undefined)
    return cleared(work, current, leaked, (left) => ({ kind: 'revoked', current: left, login: '' }));
  const about = { rotationId: leaked.rotationId, emergency: true };
  const target = await attempt.step('prepare', ({ signal }) => prepare(deps, vault, current, about, signal));
  if (isFailure(target)) return target;
  const earlier = await attempt.step('leaked version', (time) => readOne(vault, current, target, found, time));
  if (earlier.kind === 'missing') return { kind: 'missing', current };
  if (earlier.kind !== 'earlier') return earlier;
  const alone = await attempt.step('shared', (time) => refuseShared({ deps, vault, current, target }, time));
  if (isFailure(alone)) return alone;
  const standing = await attempt.step('write down', ({ signal }) => writeEarlier(vault, current, leaked, signal));
  if (isFailure(standing)) return standing;
  // Whoever follows a worker that dies here must not wait for the platform to give its message back.
  const wakeUp = () => deps.wakeUps.set(wakeUpFor(work, current, leaked));
  return withWakeUp(attempt, wakeUp, async () => {
    const ended = await endAll(work, standing.current, target, [{ ...earlier, revoke: leaked.by }]);
    if (isFailure(ended)) return ended;
    const replaced = replacing(listed, leaked, current.secret.readAt);
    const closed = await endCopies(work, standing.current, replaced);
    if (isFailure(closed)) return closed;
    const login = credentialName(earlier.credential);
    return cleared(work, standing.current, leaked, (left) => ({ kind: 'revoked', current: left, login, ended }));
  });
}

/** Reads the version, unless it is not for this to end. */
async function readOne(vault: Vault, current: Current, target: Target, found: Listed, time: StepTime) {
  const { version, enabled } = found;
  const earlier = await readEarlier(vault, current, version, time.signal);
  if (earlier.kind !== 'earlier') return earlier;
  if (isPublished(earlier.credential, target)) {
    if (enabled) return { kind: 'current' as const };
    const closed = await vault.change(current.secret.name, version, { enabled: false }, { signal: time.signal });
    return isFailure(closed) ? closed : { kind: 'current' as const };
  }
  if (current.stamp?.from === version) return { kind: 'replaced' as const };
  return vouchesFor(target, target.stepFor(time), earlier.credential)
    ? earlier
    : notOurs(current, target, version, earlier, time);
}

/** Copies name what replaced it, and know no version of their source. Pure. */
function replacing(listed: readonly Listed[], { version, by }: EarlierAsked, at: Date): readonly Replaced[] {
  const stamps = listed.map(({ tags }) => readStamp(tags)).filter((stamp) => stamp?.from === version);
  const ids = new Set(stamps.flatMap((stamp) => (stamp === undefined ? [] : [stamp.rotationId])));
  return [...ids].map((rotationId) => ({ rotationId, revoked: { by, at } }));
}

function wakeUpFor({ vault, request }: Work, { secret }: Current, { rotationId, version, by }: EarlierAsked) {
  const who = { requestedBy: request.requestedBy, ...(by === '' ? {} : { requestedById: by }) };
  return { vault: vault.name, secret: secret.name, mode: 'emergency' as const, rotationId, version, ...who };
}

/** What was asked stands on the current version until it is done: a sweep looks at no other. Nothing where something stands already. */
async function writeEarlier(
  vault: Vault,
  current: Current,
  earlier: EarlierAsked,
  signal: AbortSignal,
): Promise<{ readonly kind: 'stands'; readonly current: Current } | Failure> {
  if (current.requested.earlier !== undefined) return { kind: 'stands', current };
  return changed(vault, current, { ...current.requested, earlier }, signal);
}

async function cleared(
  { vault, attempt }: Work,
  current: Current,
  { rotationId, version }: EarlierAsked,
  outcome: (current: Current) => LeakedOutcome,
): Promise<LeakedOutcome> {
  const { earlier, ...rest } = current.requested;
  if (earlier?.version !== version && earlier?.rotationId !== rotationId) return outcome(current);
  const left = await attempt.step('clear', ({ signal }) => changed(vault, current, rest, signal));
  return isFailure(left) ? left : outcome(left.current);
}

async function changed(
  vault: Vault,
  current: Current,
  requested: Current['requested'],
  signal: AbortSignal,
): Promise<{ readonly kind: 'stands'; readonly current: Current } | Failure> {
  const { secret } = current;
  const tags = withRequested(secret.tags, requested);
  const written = await vault.change(secret.name, secret.version, { tags }, { signal });
  if (isFailure(written)) return written;
  const { updatedAt } = written.secret;
  return { kind: 'stands', current: { ...current, requested, secret: { ...secret, tags, updatedAt } } };
}

/**
 * What is to be revoked is what is current again: somebody wrote it back while the emergency ran. It is not ended under its consumers, and it
 * is not forgotten either: it is an emergency about the current version from now on. Pure.
 */
export function asEmergency({ name }: Vault, current: Current, again: readonly Ending[]): Current {
  const { secret, requested } = current;
  const by = again.find(({ revoke }) => revoke !== undefined)?.revoke;
  if (by === undefined || requested.emergency !== undefined) return current;
  const rotationId = rotationIdOf(name, secret.name, secret.version);
  const standing = { ...requested, emergency: { rotationId, by, at: secret.readAt } };
  return { ...current, requested: standing, secret: { ...secret, tags: withRequested(secret.tags, standing) } };
}
