/** A secret that was opted out by accident is managed again: its newest version gets the tags of the last one that was. */
import type { Tags, Vault } from '../contract/ports.ts';
import { goOn } from '../engine/arrival/go-on.ts';
import { requestedTag } from '../engine/policy/requested.ts';
import { readStamp, stampTag } from '../engine/policy/stamp.ts';
import { ask } from '../engine/running/ask.ts';
import { leaseMarginMs } from '../engine/running/attempt.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import { readLastManaged } from '../engine/running/last-managed.ts';
import { prepare } from '../engine/running/target.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import { acquirePatiently } from './pause.ts';

export type AdoptOutcome =
  | { readonly kind: 'adopted'; readonly version: string; readonly tags: Tags }
  /** It has the tag, or never had it. */
  | { readonly kind: 'nothing' }
  /** A worker was at the secret all the time. */
  | { readonly kind: 'busy' }
  | Failure;

/**
 * Puts the tags back that the newest version lacks; tags that it has stay as they are. Its credential is proven by a login first: one that
 * does not log in is not adopted. An overlap that runs goes on. An update of tags; may be called again.
 */
export async function adopt(
  engine: EngineDependencies,
  vault: Vault,
  secret: string,
  signal: AbortSignal,
): Promise<AdoptOutcome> {
  const acquired = await acquirePatiently({ engine }, vault, secret, signal);
  if (acquired.kind !== 'held') return acquired;
  const { lease } = acquired;
  try {
    const within = AbortSignal.timeout(Math.max(1, Math.floor(lease.remainingMs() - leaseMarginMs)));
    return await adoptHeld(engine, vault, secret, AbortSignal.any([signal, within]));
  } finally {
    await lease.release();
  }
}

async function adoptHeld(
  engine: EngineDependencies,
  vault: Vault,
  name: string,
  signal: AbortSignal,
): Promise<AdoptOutcome> {
  const managed = await readLastManaged(engine, vault, name, signal);
  if (isFailure(managed)) return managed;
  if (managed.kind === 'none' || managed.at === undefined) return { kind: 'nothing' };
  const { secret } = managed.current;
  const { [stampTag]: _stamp, [requestedTag]: _requested, ...policyTags } = managed.at.tags;
  const tags = { ...policyTags, ...secret.tags };
  const current = { ...managed.current, secret: { ...secret, tags }, stamp: readStamp(tags), requested: {} };
  const target = await prepare(engine, vault, current, { rotationId: '', emergency: false }, signal);
  if (isFailure(target)) return target;
  const { credential } = target;
  const answer = await ask(current, target, credential, { signal, remainingMs: () => 30_000 });
  if (isFailure(answer)) return answer;
  const { version } = secret;
  if (!answer.accepted) return failure('credential-drifted', { secret: name, version, detail: answer.detail });
  const written = await vault.change(name, version, { tags }, { signal });
  if (isFailure(written)) return written;
  const gone = await goOn(vault, current, credential, { before: managed.at, accepted: true }, signal);
  return isFailure(gone) ? gone : { kind: 'adopted', version, tags };
}
