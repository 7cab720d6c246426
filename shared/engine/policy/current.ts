import type { SecretProperties, SecretVersion, Vault } from '../../contract/ports.ts';
import type { RotatorEntry } from '../../contract/rotator.ts';
import { type Failure, failure } from '../../errors.ts';
import { type LinkedEnd, readLinkedEnd } from './links.ts';
import { nearlyOptedIn } from './near-miss.ts';
import { type ParsePolicy, type Policy, type PolicyDefaults, parsePolicy } from './policy.ts';
import { type Requested, readRequested, requestedTag } from './requested.ts';
import { isRetirementOpen, longestTag, mostTags, readStamp, type Stamp, stampTag, tagsKept } from './stamp.ts';

/** The published version of a secret that opted in, and what its tags ask for. */
export interface Current {
  readonly kind: 'current';
  readonly secret: SecretVersion;
  readonly stamp: Stamp | undefined;
  /** What was asked of it and is not done yet. */
  readonly requested: Requested;
  readonly policy: Policy;
}

/** The published version of a copy or a derived secret: renewed with its source, and never rotated on its own. */
export interface LinkedCurrent {
  readonly kind: 'linked';
  readonly secret: SecretVersion;
  readonly end: LinkedEnd;
}

export type CurrentOutcome = Current | LinkedCurrent | { readonly kind: 'opted-out' } | Failure;

/** What tags are read with. */
export interface PolicyDependencies {
  /** By name. */
  readonly rotators: ReadonlyMap<string, RotatorEntry>;
  readonly defaults: PolicyDefaults;
}

/**
 * The version that somebody means who calls an emergency now: the current one; of an emergency that is not over, what it is there to end.
 * Pure.
 */
export function versionMeant({ version, stamp, requested }: Standing): string {
  if (requested.emergency !== undefined) return version;
  if (stamp?.revoke !== undefined && isRetirementOpen(stamp)) return stamp.from;
  return requested.earlier?.version ?? version;
}

interface Standing extends Pick<Current, 'stamp' | 'requested'> {
  /** The current one. */
  readonly version: string;
}

/** Reads the current version and its policy. Every problem of the tags is named at once. Changes nothing. */
export async function readCurrent(
  deps: PolicyDependencies,
  vault: Vault,
  name: string,
  signal: AbortSignal,
): Promise<CurrentOutcome> {
  const read = await vault.read(name, { signal });
  switch (read.kind) {
    case 'found':
      return judge(deps, read.secret);
    case 'not-found':
      return failure('secret-missing', { secret: name, vault: vault.name });
    case 'disabled':
      return disabled(vault, name, signal);
    case 'failed':
      return read;
  }
}

function judge(deps: PolicyDependencies, secret: SecretVersion): CurrentOutcome {
  const outcome = policyOf(deps, secret);
  if (outcome.kind === 'linked') return { kind: 'linked', secret, end: outcome };
  if (outcome.kind !== 'policy') return outcome;
  const stamp = readStamp(secret.tags);
  return { kind: 'current', secret, stamp, requested: readRequested(secret.tags), policy: outcome.policy };
}

/** The policy of a version from its properties alone, as a listing gives them. */
export function policyOf(
  deps: PolicyDependencies,
  secret: SecretProperties,
  parse: ParsePolicy = parsePolicy,
): { readonly kind: 'policy'; readonly policy: Policy } | { readonly kind: 'opted-out' } | LinkedEnd | Failure {
  const end = readLinkedEnd(secret.tags);
  if (end !== undefined)
    return end.kind === 'linked' ? end : failure('tag-invalid', { secret: secret.name, problems: end.problems });
  const parsed = parse(secret.tags, deps.defaults, deps.rotators);
  if (parsed.kind === 'invalid') return failure('tag-invalid', { secret: secret.name, problems: parsed.problems });
  if (parsed.kind === 'opted-out') {
    const nearly = nearlyOptedIn(secret.tags, deps.rotators);
    return nearly === undefined ? parsed : failure('tag-invalid', { secret: secret.name, problems: [nearly] });
  }
  const others = Object.keys(secret.tags).filter((tag) => tag !== stampTag && tag !== requestedTag).length;
  if (others > mostTags - tagsKept) {
    const detail = `it has ${others} tags, and Keyturn needs ${tagsKept} of the ${mostTags} (each of ${longestTag} characters at most)`;
    return failure('tags-full', { secret: secret.name, detail });
  }
  return parsed;
}

/** A disabled newest version is an error only where somebody relies on Keyturn; its tags are still in the list of versions. */
async function disabled(vault: Vault, name: string, signal: AbortSignal): Promise<CurrentOutcome> {
  const listed = await vault.versions(name, { signal });
  if (listed.kind === 'failed') return listed;
  const tags = listed.versions[0]?.tags ?? {};
  const optedIn = tags['rotator'] !== undefined || readLinkedEnd(tags) !== undefined;
  return optedIn ? failure('secret-disabled', { secret: name, vault: vault.name }) : { kind: 'opted-out' };
}
