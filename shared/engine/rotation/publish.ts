/** The new credential becomes the vault's current version, and the vault is asked whether it has. */
import type { Credential } from '../../contract/credential.ts';
import type { SecretProperties, Vault, WriteOutcome } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { withRequested } from '../policy/requested.ts';
import { formatStamp, isRetirementOpen, longestTag, readStamp, type Stamp, withStamp } from '../policy/stamp.ts';
import { type Target, valueWith } from '../running/target.ts';
import { type Overtaking, overtakenBefore, warningsOf } from './overtaken.ts';

export interface Draft {
  readonly rotationId: string;
  /** A second request that the version answers. */
  readonly also?: string;
  readonly credential: Credential;
  /** The id of whoever wants the credential before revoked. */
  readonly revoke: string | undefined;
  /** How long the target lets the credential log in, in ms, where it has such a rule. */
  readonly lastsMs?: number | undefined;
  /** It takes the place of a version that does not log in: there is nothing to retire but what was to be retired before. */
  readonly asItIs?: boolean | undefined;
}

/**
 * Sets value, expiry, tags and content type in one call. Comes after verify: readers take the newest version at once, so an unproven
 * password here would be an outage, not a retry. Everything the value and the tags hold besides the credential is carried over; an
 * emergency that stood in the tags is told by the stamp from now on.
 */
export async function publish(
  vault: Vault,
  current: Current,
  target: Target,
  draft: Draft,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const { secret, policy, requested } = current;
  const replaced = valueWith(current, target, draft.credential);
  if (isFailure(replaced)) return replaced;
  const stamp = stampOf(current, draft);
  if (formatStamp(stamp).length > longestTag) {
    return failure('tags-full', { secret: secret.name, detail: `the provider's id of the key is too long for a tag` });
  }
  const { emergency: _told, ...standing } = requested;
  return vault.write(
    secret.name,
    {
      value: replaced.value,
      tags: withStamp(withRequested(secret.tags, standing), stamp),
      // A version that outlived its credential would be an outage that nobody is told of.
      expiresAt: new Date(secret.readAt.getTime() + Math.min(policy.validForMs, draft.lastsMs ?? policy.validForMs)),
      ...(secret.contentType === undefined ? {} : { contentType: secret.contentType }),
    },
    { signal },
  );
}

function stampOf(current: Current, draft: Draft): Stamp {
  const { rotationId, also, credential, revoke } = draft;
  const { keyId, slot } = credential;
  const retireBy = retireByOf(current, draft);
  return {
    rotationId,
    ...(also === undefined ? {} : { also }),
    from: current.secret.version,
    // Stands until every copy was read back, so that whoever comes next finds from the vault alone what is missing.
    ...(current.policy.also.length > 0 ? { copiesDue: true } : {}),
    ...(retireBy === undefined ? {} : { retireBy }),
    ...(revoke === undefined ? {} : { revoke }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(slot === undefined ? {} : { slot }),
  };
}

function retireByOf({ policy, secret, stamp }: Current, { revoke, asItIs }: Draft): Date | undefined {
  if (asItIs === true) return isRetirementOpen(stamp) ? stamp.retireBy : undefined;
  const { oldLives } = strategyTraits[policy.strategy];
  // In an emergency there are sessions to end even where the old password died at apply, and so there are in one before that is not finished.
  const isLeft = oldLives || revoke !== undefined || isRetirementOpen(stamp);
  const overlapMs = revoke === undefined && oldLives ? policy.overlapMs : 0;
  return isLeft ? new Date(secret.readAt.getTime() + overlapMs) : undefined;
}

export interface Confirmed {
  readonly kind: 'confirmed';
  readonly to: string;
  readonly retireBy: Date | undefined;
  readonly expiresAt: Date | undefined;
  readonly now: Date;
  /** What a person should look at: versions of somebody else that were overtaken. */
  readonly warnings: readonly string[];
  /** The same of the rotation before, which may not have said so. */
  readonly before: Overtaking | undefined;
}

/** Waits between looks for a version whose answer was lost, in ms: a request that was cut may still arrive. */
const settleMs = [0, 500, 1_500, 4_000];

type Version = SecretProperties & { readonly version: string };

/**
 * Lists the versions. There is no compare-and-set in the service, so this is how the engine learns what a lost answer meant and whether
 * somebody else published in the meantime, before its own version or after it.
 */
export async function confirm(
  vault: Vault,
  current: Current,
  draft: Draft,
  published: WriteOutcome,
  wait: (ms: number, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<Confirmed | Failure> {
  const { secret } = current;
  for (const ms of isFailure(published) && published.code === 'vault-unreachable' ? settleMs : [0]) {
    if (ms > 0) await wait(ms, signal);
    const listed = await vault.versions(secret.name, { signal });
    if (isFailure(listed)) return isFailure(published) ? published : listed;
    const newest = await newestOf(vault, secret.name, listed.versions, signal);
    if (newest !== undefined && 'kind' in newest) return newest;
    if (newest === undefined)
      return failure('newer-version', { secret: secret.name, detail: 'it has no version any more' });
    if (isOurs(newest, current, draft)) return confirmed(current, newest, listed.versions);
    if (newest.version !== secret.version) return overtaken(current, draft, newest, listed.versions);
  }
  if (isFailure(published)) return published;
  const detail = 'it took the new version but does not show it';
  return failure('vault-unreachable', { secret: secret.name, vault: vault.name, detail });
}

function isOurs({ tags }: Version, { secret }: Current, { rotationId }: Draft): boolean {
  const stamp = readStamp(tags);
  return stamp?.rotationId === rotationId && stamp.from === secret.version;
}

/** The service tells time in whole seconds: of two versions of one second only a read says which is current. */
async function newestOf(
  vault: Vault,
  name: string,
  versions: readonly Version[],
  signal: AbortSignal,
): Promise<Version | Failure | undefined> {
  const [first, second] = versions;
  if (second === undefined || first?.createdAt.getTime() !== second.createdAt.getTime()) return first;
  const read = await vault.read(name, { signal });
  if (isFailure(read)) return read;
  return read.kind === 'found' ? versions.find(({ version }) => version === read.secret.version) : first;
}

function confirmed(
  { secret, stamp }: Current,
  { version, tags, expiresAt, createdAt }: Version,
  versions: readonly Version[],
): Confirmed {
  const warnings = warningsOf({ version, createdAt, tags }, secret, versions);
  const { retireBy } = readStamp(tags) ?? {};
  const before = overtakenBefore(stamp, versions);
  return { kind: 'confirmed', to: version, retireBy, expiresAt, now: createdAt, warnings, before };
}

function overtaken(current: Current, draft: Draft, newest: Version, versions: readonly Version[]): Failure {
  const ours = versions.find((each) => isOurs(each, current, draft));
  const mine = ours === undefined ? '' : `, and it has replaced version ${ours.version}, which this rotation made`;
  const state = newest.enabled ? '' : ' and is disabled';
  return failure('newer-version', {
    secret: current.secret.name,
    detail: `version ${newest.version} was not made by this rotation${state}${mine}`,
  });
}
