/** The candidate of an in-place rotation, stored as the secret `keyturn-pending-NAME` before a target depends on it. */
import type { Credential } from '../../contract/credential.ts';
import type { SecretVersion, Vault, WriteOutcome } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { pendingNameOf } from '../policy/identifiers.ts';
import { answers, formatStamp, pendingOfTag, readStamp, type Stamp, stampTag } from '../policy/stamp.ts';
import { credentialOf, readValue, type Target, valueWith } from './target.ts';

/** How many stored candidates are looked at, newest first, when the newest is not the one that the target took. */
const mostLookedAt = 5;

export type PendingOutcome =
  | ({ readonly kind: 'pending'; readonly version: string } & StoredCandidate)
  /** Left from a rotation that is over: published, or (`overtaken`) given up for somebody else's version. */
  | { readonly kind: 'stale'; readonly version: string; readonly overtaken: boolean }
  /** A key that a provider issued, stored and never published, because somebody published by hand in between: it is to be revoked. */
  | { readonly kind: 'orphan'; readonly version: string; readonly credential: Credential }
  | { readonly kind: 'none' }
  | Failure;

/** A candidate, and the rotation it belongs to. */
export interface StoredCandidate {
  readonly credential: Credential;
  readonly rotationId?: string;
  /** The rotation is an emergency: the id of whoever wants the credential before revoked. */
  readonly revoke?: string;
}

/** The stored candidate that is to replace the current version, if there is one. */
export async function readPending(vault: Vault, current: Current, signal: AbortSignal): Promise<PendingOutcome> {
  const name = pendingNameOf(current.secret.name);
  const read = await vault.read(name, { signal });
  if (isFailure(read)) return read;
  if (read.kind !== 'found') return { kind: 'none' };
  const stamp = readStamp(read.secret.tags);
  if (stamp === undefined) {
    return failure('pending-taken', { secret: current.secret.name, detail: `${name} was not written by Keyturn` });
  }
  const { version } = read.secret;
  const credential = credentialIn(read.secret, current);
  const overtaken = !answers(current.stamp, stamp.rotationId);
  if (credential === undefined) return { kind: 'stale', version, overtaken };
  if (stamp.from !== current.secret.version) {
    const looked = await isOrphan(vault, current, stamp.rotationId, signal);
    if (isFailure(looked)) return looked;
    return looked.orphan ? { kind: 'orphan', version, credential } : { kind: 'stale', version, overtaken };
  }
  return { kind: 'pending', version, ...candidateOf(credential, stamp) };
}

/**
 * Whether a key that a provider issued was stored and never published, because somebody published by hand in between. Nothing else knows
 * of it: left alone it would live for ever.
 */
async function isOrphan(
  vault: Vault,
  current: Current,
  rotationId: string,
  signal: AbortSignal,
): Promise<{ readonly kind: 'looked'; readonly orphan: boolean } | Failure> {
  if (strategyTraits[current.policy.strategy].pending !== 'after-apply') return { kind: 'looked', orphan: false };
  const looked = await wasPublished(vault, current, rotationId, signal);
  return isFailure(looked) ? looked : { kind: 'looked', orphan: !looked.published };
}

/** Whether a version, of whatever age, was made by that rotation. */
export async function wasPublished(
  vault: Vault,
  current: Current,
  rotationId: string,
  signal: AbortSignal,
): Promise<{ readonly kind: 'looked'; readonly published: boolean } | Failure> {
  const listed = await vault.versions(current.secret.name, { signal });
  if (isFailure(listed)) return listed;
  return { kind: 'looked', published: listed.versions.some(({ tags }) => answers(readStamp(tags), rotationId)) };
}

/**
 * Every candidate that was ever stored for this secret and is still enabled, newest first. Looked at only when neither the newest
 * candidate nor the published credential logs in: two workers may have stored one each, or a person may have published in between.
 */
export async function olderPending(
  vault: Vault,
  current: Current,
  signal: AbortSignal,
): Promise<{ readonly kind: 'listed'; readonly candidates: readonly StoredCandidate[] } | Failure> {
  const name = pendingNameOf(current.secret.name);
  const listed = await vault.versions(name, { signal });
  if (isFailure(listed)) return listed;
  const candidates: StoredCandidate[] = [];
  for (const { version, tags } of listed.versions.filter((each) => each.enabled).slice(0, mostLookedAt)) {
    const read = await vault.read(name, { version, signal });
    if (isFailure(read)) return read;
    const credential = read.kind === 'found' ? credentialIn(read.secret, current) : undefined;
    const stamp = readStamp(tags);
    if (credential !== undefined && stamp !== undefined) candidates.push(candidateOf(credential, stamp));
  }
  return { kind: 'listed', candidates };
}

function candidateOf(credential: Credential, { rotationId, revoke }: Stamp): StoredCandidate {
  return { credential, rotationId, ...(revoke === undefined ? {} : { revoke }) };
}

/**
 * Stores a candidate, with all that is meant by it. It expires and has a content type as its secret will have: policies of the platform
 * may refuse a secret without. Called again it stores another version; the newest counts.
 */
export async function savePending(
  vault: Vault,
  current: Current,
  target: Target,
  { credential: candidate, rotationId, revoke }: StoredCandidate & { readonly rotationId: string },
  signal: AbortSignal,
): Promise<{ readonly kind: 'stored'; readonly pendingVersion: string } | Failure> {
  const { secret, policy } = current;
  const replaced = valueWith(current, target, candidate);
  if (isFailure(replaced)) return replaced;
  const { keyId, slot } = candidate;
  const stamp = {
    rotationId,
    from: secret.version,
    ...(revoke === undefined ? {} : { revoke }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(slot === undefined ? {} : { slot }),
  };
  const written = await vault.write(
    pendingNameOf(secret.name),
    {
      value: replaced.value,
      tags: { [stampTag]: formatStamp(stamp), [pendingOfTag]: secret.name },
      expiresAt: new Date(secret.readAt.getTime() + policy.validForMs),
      ...(secret.contentType === undefined ? {} : { contentType: secret.contentType }),
    },
    { signal },
  );
  return isFailure(written) ? written : { kind: 'stored', pendingVersion: written.secret.version };
}

/**
 * Disables the stored candidate once it is published. It is never deleted: a deleted name would be in the way of the next rotation.
 * May be called again; nothing depends on its success.
 */
export async function closePending(
  vault: Vault,
  secret: string,
  version: string,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  return vault.change(pendingNameOf(secret), version, { enabled: false }, { signal });
}

function credentialIn(stored: SecretVersion, current: Current): Credential | undefined {
  const read = readValue(stored, current.policy);
  return isFailure(read) ? undefined : credentialOf(stored, read.value, current.policy);
}
