/** A secret whose newest version has no tag `rotator`, read as the last version that has it asks for. */
import type { Vault } from '../../contract/ports.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import { type Current, type PolicyDependencies, policyOf } from '../policy/current.ts';
import { type Listed, originOf } from '../policy/origin.ts';
import { readRequested } from '../policy/requested.ts';
import { readStamp } from '../policy/stamp.ts';

export interface LastManaged {
  readonly kind: 'managed';
  /** The value of the newest version, with the policy and the stamp of the last managed one. */
  readonly current: Current;
  /** The last managed version; undefined where it is the newest. */
  readonly at: Listed | undefined;
}

/** `none`: it never was managed. Changes nothing. */
export async function readLastManaged(
  deps: PolicyDependencies,
  vault: Vault,
  name: string,
  signal: AbortSignal,
): Promise<LastManaged | { readonly kind: 'none' } | Failure> {
  const listed = await vault.versions(name, { signal });
  if (isFailure(listed)) return listed;
  const [newest] = listed.versions;
  const origin = newest === undefined ? undefined : originOf(listed.versions, newest.version);
  if (newest === undefined || origin?.kind !== 'opted-out') return { kind: 'none' };
  const { managed } = origin;
  const read = await vault.read(name, { version: newest.version, signal });
  if (isFailure(read)) return read;
  if (read.kind !== 'found') return failure('secret-disabled', { secret: name, vault: vault.name });
  const outcome = policyOf(deps, managed);
  if (isFailure(outcome)) return outcome;
  if (outcome.kind !== 'policy') return { kind: 'none' };
  const { tags } = managed;
  const { policy } = outcome;
  const current: Current = {
    kind: 'current',
    secret: read.secret,
    stamp: readStamp(tags),
    requested: readRequested(tags),
    policy,
  };
  return { kind: 'managed', current, at: managed };
}
