/** Changing the tags of a secret from outside the vault: which may be changed, and whether what would stand there can be used. Pure. */
import type { SecretProperties, Tags } from '../../contract/ports.ts';
import { type Failure, failure, isFailure, type TagProblem } from '../../errors.ts';
import { type PolicyDependencies, policyOf } from './current.ts';
import { isPendingName } from './identifiers.ts';
import { nearMissTexts } from './near-miss.ts';
import { requestedTag } from './requested.ts';
import { longestTag, mostTags, pendingOfTag, stampTag } from './stamp.ts';

/** What is to stand, and what is to go. All other tags stay as they are. */
export interface TagChange {
  readonly set: Tags;
  readonly remove: readonly string[];
}

/** Keyturn's own: they say what was done, and nobody else writes them. */
const keyturns: ReadonlySet<string> = new Set([stampTag, requestedTag, pendingOfTag]);

/** Tags by which a secret lends its value or its rights to another one. */
const lending = ['serves', 'names', 'also', 'copy-of', 'derived-from'];

const longestName = 256;

/** Whether a change touches a tag by which a secret lends its value or its rights to another one, alone or inside the tag `policy`. */
export function lends({ set, remove }: TagChange): boolean {
  const inside = new RegExp(`(?:^|;)\\s*(?:${lending.join('|')})\\s*=`);
  return lending.some((tag) => Object.hasOwn(set, tag) || remove.includes(tag)) || inside.test(set['policy'] ?? '');
}

/** The tags with the change made. */
export function changed(tags: Tags, { set, remove }: TagChange): Tags {
  const kept = Object.entries(tags).filter(([name]) => !remove.includes(name));
  return { ...Object.fromEntries(kept), ...set };
}

export function sameTags(one: Tags, other: Tags): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/** Why the change cannot be made, every problem at once; or what a person should know of what would stand there. */
export function judgeTags(
  deps: PolicyDependencies,
  secret: SecretProperties,
  change: TagChange,
): { readonly kind: 'fit'; readonly tags: Tags; readonly warnings: readonly string[] } | Failure {
  const { name } = secret;
  const tags = changed(secret.tags, change);
  const problems = [...formProblems(change), ...pendingProblems(name)];
  if (problems.length > 0) return failure('tag-invalid', { secret: name, problems });
  const count = Object.keys(tags).length;
  if (count > mostTags) {
    const detail = `it would have ${count} tags, and Key Vault takes ${mostTags}`;
    return failure('tags-full', { secret: name, detail });
  }
  const policy = policyOf(deps, { ...secret, tags });
  if (isFailure(policy)) return policy;
  const warnings = policy.kind === 'policy' ? nearMissTexts(tags, policy.policy.rotator) : [];
  return { kind: 'fit', tags, warnings };
}

function formProblems({ set, remove }: TagChange): readonly TagProblem[] {
  const names = [...Object.keys(set), ...remove];
  return [
    ...names.filter((tag) => keyturns.has(tag)).map((tag) => ({ tag, detail: 'is written by Keyturn alone' })),
    ...remove.filter((tag) => Object.hasOwn(set, tag)).map((tag) => ({ tag, detail: 'is both set and removed' })),
    ...Object.entries(set)
      .filter(([tag, value]) => tag.length > longestName || value.length > longestTag)
      .map(([tag]) => ({ tag: tag.slice(0, 40), detail: `Key Vault takes ${longestTag} characters` })),
  ];
}

function pendingProblems(name: string): readonly TagProblem[] {
  return isPendingName(name)
    ? [{ tag: pendingOfTag, detail: 'it is a stored candidate, which Keyturn looks after' }]
    : [];
}
