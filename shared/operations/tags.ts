/** Sets the tags of a secret: the policy of one that is managed, or opting one in. */
import type { SecretProperties, Tags, Vault } from '../contract/ports.ts';
import { judgeTags, sameTags, type TagChange } from '../engine/policy/change-tags.ts';
import { leaseMarginMs } from '../engine/running/attempt.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import { acquirePatiently } from './pause.ts';

export type TagsOutcome =
  | {
      readonly kind: 'tags';
      readonly version: string;
      readonly before: Tags;
      readonly tags: Tags;
      readonly warnings: readonly string[];
    }
  /** A worker was at the secret all the time. */
  | { readonly kind: 'busy' }
  | Failure;

type Current = SecretProperties & { readonly version: string };

/**
 * Changes tags of the current version, or says what the change would be where `dryRun` is set. Under the lease: a rotation carries over the
 * tags that it read, and would lose what was written meanwhile. What would stand there is checked first, and a change that makes no difference
 * writes nothing. May be called again.
 */
export async function setTags(
  engine: EngineDependencies,
  vault: Vault,
  { secret, change, dryRun }: { readonly secret: string; readonly change: TagChange; readonly dryRun: boolean },
  signal: AbortSignal,
): Promise<TagsOutcome> {
  const looked = await look(engine, vault, secret, change, signal);
  if (looked.kind !== 'tags' || dryRun || sameTags(looked.before, looked.tags)) return looked;
  const acquired = await acquirePatiently({ engine }, vault, secret, signal);
  if (acquired.kind !== 'held') return acquired;
  const { lease } = acquired;
  try {
    const within = AbortSignal.timeout(Math.max(1, Math.floor(lease.remainingMs() - leaseMarginMs)));
    const bounded = AbortSignal.any([signal, within]);
    const held = await look(engine, vault, secret, change, bounded);
    if (held.kind !== 'tags' || sameTags(held.before, held.tags)) return held;
    const written = await vault.change(secret, held.version, { tags: held.tags }, { signal: bounded });
    return isFailure(written) ? written : held;
  } finally {
    await lease.release();
  }
}

async function look(
  engine: EngineDependencies,
  vault: Vault,
  secret: string,
  change: TagChange,
  signal: AbortSignal,
): Promise<TagsOutcome> {
  const current = await newestOf(vault, secret, signal);
  if (current.kind === 'failed') return current;
  const judged = judgeTags(engine, current.properties, change);
  if (isFailure(judged)) return judged;
  const { version, tags: before } = current.properties;
  return { kind: 'tags', version, before, tags: judged.tags, warnings: judged.warnings };
}

async function newestOf(
  vault: Vault,
  secret: string,
  signal: AbortSignal,
): Promise<{ readonly kind: 'newest'; readonly properties: Current } | Failure> {
  const listed = await vault.versions(secret, { signal });
  if (isFailure(listed)) return listed;
  const [properties] = listed.versions;
  return properties === undefined
    ? failure('secret-missing', { secret, vault: vault.name })
    : { kind: 'newest', properties };
}
