/** Tags that are nearly those of Keyturn: `valid_for`, `Rotator`, `strateggy`. They have no effect, and nobody would be told. */
import type { Tags } from '../../contract/ports.ts';
import type { RotatorEntry } from '../../contract/rotator.ts';
import type { TagProblem } from '../../errors.ts';
import { ownTags, tagsRead } from './policy.ts';
import { requestedTag } from './requested.ts';
import { pendingOfTag, stampTag } from './stamp.ts';

/** Tags of admin secrets, of secrets that are linked, those that most rotators of keys read, and those that Keyturn writes. */
const others = [
  'serves',
  'names',
  'resource',
  'provider',
  'owner',
  'link',
  'also',
  'copy-of',
  'derived-from',
  stampTag,
  requestedTag,
  pendingOfTag,
];

/** One way to write a name: case and what stands between words do not matter. */
function plain(name: string): string {
  return name
    .trim()
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[\s_.:-]+/g, '-');
}

/** So many mistakes are taken for one name: none in a short one, which may well be a word of its owner. */
function mostMistakes(name: string): number {
  if (name.length < 5) return 0;
  return name.length < 9 ? 1 : 2;
}

/** Letters that are missing, too many, wrong, or turned around (optimal string alignment). Gives up above `most`. */
function mistakes(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let [twoBefore, before]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      const isTurned = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const best = Math.min((before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (before[j - 1] ?? 0) + (isSame ? 0 : 1));
      row.push(isTurned ? Math.min(best, (twoBefore[j - 2] ?? 0) + 1) : best);
    }
    [twoBefore, before] = [before, row];
  }
  return before[other.length] ?? most + 1;
}

function meant(tag: string, known: readonly string[]): string | undefined {
  if (known.includes(tag)) return undefined;
  const written = plain(tag);
  const same = known.find((name) => plain(name) === written);
  return same ?? known.find((name) => mistakes(written, plain(name), mostMistakes(name)) <= mostMistakes(name));
}

/** The tags of a secret that are nearly ones of Keyturn, or of its rotator, and what may have been meant. Pure. */
export function nearMissesOf(tags: Tags, entry: RotatorEntry): readonly TagProblem[] {
  const known = [...new Set([...ownTags, ...others, ...(tagsRead(entry) ?? [])])];
  return Object.keys(tags).flatMap((tag) => {
    const name = meant(tag, known);
    return name === undefined || tags[name] !== undefined ? [] : [{ tag, detail: didYouMean(name) }];
  });
}

/**
 * A secret without the tag `rotator` that has one which is nearly that, with the name of a rotator in it: somebody wanted it to be managed.
 * Pure.
 */
export function nearlyOptedIn(tags: Tags, rotators: ReadonlyMap<string, RotatorEntry>): TagProblem | undefined {
  for (const tag in tags) {
    if (tag.length < 5 || tag.length > 9 || meant(tag, ['rotator']) === undefined) continue;
    if (rotators.has((tags[tag] ?? '').trim().toLowerCase())) return { tag, detail: didYouMean('rotator') };
  }
  return undefined;
}

function didYouMean(name: string): string {
  return `has no effect; did you mean "${name}"?`;
}

/** As sentences, for people. Pure. */
export function nearMissTexts(tags: Tags, entry: RotatorEntry): readonly string[] {
  return nearMissesOf(tags, entry).map(({ tag, detail }) => `tag "${tag}" ${detail}`);
}
