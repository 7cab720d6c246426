/** Text as it may stand in a terminal. */
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/**
 * Takes out what a terminal would obey. Tags, reasons and answers of targets are written by others, and one of them may try to move the
 * cursor, hide a line or set a title; the second group turns the direction of writing round.
 */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').replaceAll(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** How many columns it takes; colours take none. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** Cut to that many columns, with a sign that it was. A character of several code points stays whole. Not for text with colours. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/** Broken into lines at blanks; a word that is longer than a line is left whole, so that it can be copied. */
export function wrapped(text: string, columns: number | undefined, indent: string): string {
  if (columns === undefined) return indent + text;
  const lines = wrapAnsi(text, Math.max(1, columns - widthOf(indent))).split('\n');
  return lines.map((line) => indent + line).join('\n');
}
