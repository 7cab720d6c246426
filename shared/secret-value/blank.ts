/**
 * Blanks as .NET's `char.IsWhiteSpace` knows them: connection strings of .NET clients are trimmed by it. It differs from JavaScript's
 * `\s` in U+0085, which is one, and U+FEFF, which is not.
 */
const blanks = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

export function isBlank(character: string): boolean {
  return blanks.test(character);
}

/** The first place at or behind `from` that is no blank. */
export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charAt(at))) at++;
  return at;
}

/** The span without blanks at its ends. An empty one ends up behind its blanks. */
export function trimSpan(text: string, from: number, until: number): readonly [number, number] {
  let start = from;
  while (start < until && isBlank(text.charAt(start))) start++;
  let end = until;
  while (end > start && isBlank(text.charAt(end - 1))) end--;
  return [start, end];
}
