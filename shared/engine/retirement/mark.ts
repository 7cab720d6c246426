/** The current version says what has become of the credential before. */
import type { Vault, WriteOutcome } from '../../contract/ports.ts';
import { SecretText } from '../../contract/secret-text.ts';
import { isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { answers, type Stamp, withStamp } from '../policy/stamp.ts';
import type { Attempt } from '../running/attempt.ts';
import type { LastManaged } from '../running/last-managed.ts';
import { type Target, valueWith } from '../running/target.ts';

interface Work {
  readonly vault: Vault;
  readonly attempt: Attempt;
  /** A request that the version answers once the old credential is dead. */
  readonly answering?: string;
}

/**
 * The vault's current version says that nothing is left to retire. A value that carries its predecessor (`self-issued`) is published
 * once more without it: that is what makes verifiers drop it.
 */
export async function mark(
  { vault, attempt, answering }: Work,
  { current, at }: { readonly current: Current; readonly at: LastManaged['at'] },
  target: Target,
  stamp: Stamp,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const { secret, policy } = current;
  // The tags of a version that its owner left without a rotator are not ours to write.
  if (at !== undefined)
    return vault.change(secret.name, at.version, { tags: withStamp(at.tags, { ...stamp, retired: true }) }, { signal });
  const also = answering === undefined || answers(stamp, answering) ? stamp.also : (stamp.also ?? answering);
  const retired = { ...stampNow(current, stamp), retired: true, ...(also === undefined ? {} : { also }) };
  const tags = withStamp(secret.tags, retired);
  const previous = target.credential.parts?.['previous'];
  if (previous === undefined || previous.isEmpty)
    return vault.change(secret.name, secret.version, { tags }, { signal });
  const replaced = valueWith(current, target, { ...target.credential, parts: { previous: new SecretText('') } });
  if (isFailure(replaced)) return replaced;
  const { contentType, expiresAt } = secret;
  const kept = {
    ...(contentType === undefined ? {} : { contentType }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
  await attempt.secondAfter(secret.updatedAt, signal);
  const copies = policy.also.length === 0 ? {} : { copiesDue: true };
  return vault.write(
    secret.name,
    { value: replaced.value, tags: withStamp(tags, { ...retired, ...copies }), ...kept },
    { signal },
  );
}

/** Copies that are done are not due again. */
function stampNow(current: Current, { copiesDue: _before, ...stamp }: Stamp): Stamp {
  return current.stamp?.copiesDue === true ? { ...stamp, copiesDue: true } : stamp;
}
