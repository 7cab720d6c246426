/** What one look at a secret's properties tells, as a listing gives them. */
import type { SecretProperties } from '../../contract/ports.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import { type PolicyDependencies, policyOf } from '../policy/current.ts';
import { dueAtOf, type Facts, isDue } from '../policy/due.ts';
import { isPendingName, isSecretName, pendingNameOf } from '../policy/identifiers.ts';
import type { LinkedEnd } from '../policy/links.ts';
import type { ParsePolicy, Policy } from '../policy/policy.ts';
import { readRequested } from '../policy/requested.ts';
import { isRetirementOpen, pendingOfTag, readStamp, type Stamp } from '../policy/stamp.ts';

/** What one look at a secret's properties found. */
export type Finding =
  | { readonly kind: 'opted-out' }
  | { readonly kind: 'healthy' }
  | { readonly kind: 'due' }
  /** Renewed with its source. */
  | { readonly kind: 'linked'; readonly end: LinkedEnd }
  /** Its version is current, and not every copy of it is known to be. */
  | { readonly kind: 'copies-due' }
  /**
   * `due`: the secret is to be rotated too, so that a retirement that fails for ever is not followed by an expiry. `copies`: not every copy is
   * known to be current.
   */
  | { readonly kind: 'retirement-due'; readonly rotationId: string; readonly due: boolean; readonly copies?: true }
  /** An emergency was asked for, and is not begun or not published yet; `version`: the earlier one that it is about. */
  | { readonly kind: 'emergency'; readonly rotationId: string; readonly by: string; readonly version?: string }
  /** A person has to replace it, and the time for that has come. */
  | { readonly kind: 'manual-due' }
  /** A stored candidate of `secret` waits: its rotation stopped half-way, or was never tidied up. */
  | { readonly kind: 'stalled'; readonly secret: string }
  | { readonly kind: 'invalid'; readonly failure: Failure };

/** Judges one secret by what a listing says of it. Pure. */
export function judge(deps: PolicyDependencies, properties: SecretProperties, now: Date, parse?: ParsePolicy): Finding {
  const stamp = readStamp(properties.tags);
  if (isPendingName(properties.name)) return judgePending(properties, stamp);
  const outcome = policyOf(deps, properties, parse);
  if (isFailure(outcome)) return { kind: 'invalid', failure: outcome };
  if (outcome.kind === 'opted-out') return outcome;
  if (outcome.kind === 'linked') return { kind: 'linked', end: outcome };
  return judgeManaged({ properties, stamp, requested: readRequested(properties.tags), now }, outcome.policy);
}

/** The same of a secret whose policy was read. */
export function judgeManaged(
  { properties, stamp, requested, now }: Pick<Facts, 'properties' | 'stamp' | 'requested' | 'now'>,
  policy: Policy,
): Finding {
  if (policy.manual !== undefined) return { kind: now >= dueAtOf(properties, policy) ? 'manual-due' : 'healthy' };
  const emergency = requested.emergency ?? requested.earlier;
  if (emergency !== undefined) return { kind: 'emergency', ...emergency };
  const request = { mode: 'scheduled' as const };
  // A listing of names tells no version; the worker reads it, and finds duplicates by it.
  const due = isDue({ properties, stamp, requested, request, rotationId: '', now }, policy);
  if (isRetirementOpen(stamp) && now >= stamp.retireBy) {
    return {
      kind: 'retirement-due',
      rotationId: stamp.rotationId,
      due,
      ...(stamp.copiesDue === true ? { copies: true } : {}),
    };
  }
  // Before a rotation that is due: the one before it is finished first.
  if (stamp?.copiesDue === true) return { kind: 'copies-due' };
  return { kind: due ? 'due' : 'healthy' };
}

/** Anybody may have written such a name and its tags: only what leads back to the very secret it is stored for counts. */
export function judgePending({ name, tags, enabled }: SecretProperties, stamp: Stamp | undefined): Finding {
  const secret = tags[pendingOfTag];
  if (stamp === undefined && tags['rotator'] !== undefined) {
    const detail = `is of no effect: names that begin with keyturn-pending- are kept for stored candidates. Store the secret under another name`;
    return {
      kind: 'invalid',
      failure: failure('tag-invalid', { secret: name, problems: [{ tag: 'rotator', detail }] }),
    };
  }
  const isOurs =
    secret !== undefined && isSecretName(secret) && pendingNameOf(secret).toLowerCase() === name.toLowerCase();
  return stamp === undefined || !isOurs || !enabled ? { kind: 'opted-out' } : { kind: 'stalled', secret };
}
