import type { Tags } from '../../contract/ports.ts';
import type { RotatorEntry } from '../../contract/rotator.ts';
import { type ParsePolicy, type PolicyOutcome, parsePolicy, tagsRead } from './policy.ts';

/** More ways of asking than this begin anew: what is remembered must not grow with the number of secrets. */
const most = 500;

/**
 * Reads policies as `parsePolicy` does, and remembers what it read. The secrets of one vault are written by few hands, so most of them ask
 * for the same as another one. For one sweep, with one set of defaults and rotators: no more than some hundred policies are kept.
 */
export function rememberingPolicies(): ParsePolicy {
  const known = new Map<string, PolicyOutcome>();
  const names = new Map<RotatorEntry, readonly string[] | undefined>();
  const namesOf = (entry: RotatorEntry): readonly string[] | undefined => {
    if (!names.has(entry)) names.set(entry, tagsRead(entry));
    return names.get(entry);
  };
  return (tags, defaults, rotators) => {
    const entry = rotators.get(tags['rotator'] ?? '');
    const read = entry === undefined ? undefined : namesOf(entry);
    if (read === undefined) return parsePolicy(tags, defaults, rotators);
    const key = keyOf(tags, read);
    const before = known.get(key);
    if (before !== undefined) return before;
    const outcome = parsePolicy(tags, defaults, rotators);
    if (known.size >= most) known.clear();
    known.set(key, outcome);
    return outcome;
  };
}

/** Lengths stand before the values, so that no value can pass for two. */
function keyOf(tags: Tags, names: readonly string[]): string {
  let key = '';
  for (const name of names) {
    const value = tags[name];
    key += value === undefined ? '-' : `${value.length}:${value}`;
  }
  return key;
}
