/** Text as it may stand in a terminal. */
import { stripVTControlCharacters } from 'node:util';

/**
 * Takes out what a terminal would obey. Tags, reasons and answers of targets are written by others, and one of them may try to move the
 * cursor, hide a line or set a title; the second group turns the direction of writing round.
 */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').replaceAll(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}

const nothingWide = /\p{Mn}|\p{Me}|\p{Cf}/u;
const twiceWide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;

function widthOfOne(character: string): number {
  if (nothingWide.test(character)) return 0;
  return twiceWide.test(character) || (character.codePointAt(0) ?? 0) >= 0x1f300 ? 2 : 1;
}

/** How many columns it takes; colours take none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) width += widthOfOne(character);
  return width;
}

/** Cut to that many columns, with a sign that it was. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const character of text) {
    width += widthOfOne(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/** Broken into lines at blanks; a word that is longer than a line is left whole, so that it can be copied. */
export function wrapped(text: string, columns: number | undefined, indent: string): string {
  if (columns === undefined) return indent + text;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && widthOf(indent) + widthOf(longer) > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((one) => indent + one).join('\n');
}
