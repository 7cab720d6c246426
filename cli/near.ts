/** The word that was probably meant. */

/** Changes of one letter (added, left out, replaced, swapped with the next) that lead from one word to the other. */
function distance(from: string, to: string): number {
  const rows = [[...Array(to.length + 1).keys()]];
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const at = (up: number, left: number): number =>
        (up === 0 ? row : rows[i - up])?.[j - left] ?? Number.POSITIVE_INFINITY;
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1] ? at(2, 2) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(at(1, 0) + 1, at(0, 1) + 1, at(1, 1) + same, swapped));
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}

/** The nearest of the known words; undefined where none is near: a third of its letters may differ. Takes time in proportion to their lengths. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((one) => {
      const far = distance(word.toLowerCase(), one.toLowerCase());
      return { one, far, begun: one.startsWith(word) && word.length >= 3 };
    })
    .filter(({ one, far, begun }) => begun || far <= Math.max(1, Math.floor(one.length / 3)))
    .sort((a, b) => Number(b.begun) - Number(a.begun) || a.far - b.far);
  return best?.one;
}

/** One way to write a name: case and what stands between words do not matter. */
function plainName(name: string): string {
  return name
    .trim()
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[\s_.:-]+/g, '-');
}

/**
 * The known name that a word is a slip of: written in another way, or with a letter or two wrong. Stricter than `nearest`, for words that may
 * well be meant as they are.
 */
export function mistyped(word: string, known: readonly string[]): string | undefined {
  const written = plainName(word);
  const same = known.find((one) => plainName(one) === written);
  if (same !== undefined) return same;
  const most = written.length < 5 ? 0 : written.length < 9 ? 1 : 2;
  return known.find((one) => Math.abs(one.length - written.length) <= most && distance(written, one) <= most);
}
