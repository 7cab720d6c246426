/** The new credential becomes the vault's current version, and the vault is asked whether it has. */
import type { Credential } from '../../contract/credential.ts';
import type { Vault, WriteOutcome } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { formatStamp, longestTag, readStamp, type Stamp, withStamp } from '../policy/stamp.ts';
import { type Target, valueWith } from '../running/target.ts';

export interface Draft {
  readonly rotationId: string;
  readonly credential: Credential;
  readonly emergency: boolean;
}

/**
 * Sets value, expiry, tags and content type in one call. Comes after verify: readers take the newest version at once, so an unproven
 * password here would be an outage, not a retry. Everything the value and the tags hold besides the credential is carried over.
 */
export async function publish(
  vault: Vault,
  current: Current,
  target: Target,
  draft: Draft,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const { secret, policy } = current;
  const replaced = valueWith(current, target, draft.credential);
  if (isFailure(replaced)) return replaced;
  const stamp = stampOf(current, draft);
  if (formatStamp(stamp).length > longestTag) {
    return failure('tags-full', { secret: secret.name, detail: `the provider's id of the key is too long for a tag` });
  }
  return vault.write(
    secret.name,
    {
      value: replaced.value,
      tags: withStamp(secret.tags, stamp),
      expiresAt: new Date(secret.readAt.getTime() + policy.validForMs),
      ...(secret.contentType === undefined ? {} : { contentType: secret.contentType }),
    },
    { signal },
  );
}

function stampOf(current: Current, draft: Draft): Stamp {
  const { keyId, slot } = draft.credential;
  const overlapMs = draft.emergency ? 0 : current.policy.overlapMs;
  return {
    rotationId: draft.rotationId,
    from: current.secret.version,
    // In an emergency there are sessions to end even where the old password died at apply.
    ...(strategyTraits[current.policy.strategy].oldLives || draft.emergency
      ? { retireBy: new Date(current.secret.readAt.getTime() + overlapMs) }
      : {}),
    ...(keyId === undefined ? {} : { keyId }),
    ...(slot === undefined ? {} : { slot }),
  };
}

export interface Confirmed {
  readonly kind: 'confirmed';
  readonly to: string;
  readonly retireBy: Date | undefined;
  readonly expiresAt: Date | undefined;
  readonly now: Date;
}

/** Waits between looks for a version whose answer was lost, in ms: a request that was cut may still arrive. */
const settleMs = [0, 500, 1_500, 4_000];

/**
 * Reads the newest version back. There is no compare-and-set in the service, so this is how the engine learns what a lost answer meant
 * and whether somebody else published in the meantime.
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
    const read = await vault.read(secret.name, { signal });
    if (isFailure(read)) return isFailure(published) ? published : read;
    if (read.kind !== 'found')
      return failure('newer-version', { secret: secret.name, detail: `its newest version is ${read.kind}` });
    const { version, tags, expiresAt, readAt } = read.secret;
    const stamp = readStamp(tags);
    if (stamp?.rotationId === draft.rotationId && stamp.from === secret.version) {
      return { kind: 'confirmed', to: version, retireBy: stamp.retireBy, expiresAt, now: readAt };
    }
    if (version !== secret.version)
      return failure('newer-version', { secret: secret.name, detail: `version ${version}` });
  }
  if (isFailure(published)) return published;
  const detail = 'it took the new version but does not show it';
  return failure('vault-unreachable', { secret: secret.name, vault: vault.name, detail });
}
