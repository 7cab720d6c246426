/** What is printed for people: lines of at most 80 columns, in colours where the terminal shows them. Imports nothing that takes time to load. */
import { styleText } from 'node:util';

/** Columns of every terminal that a person may have. */
export const columns = 80;

export type Colour = Parameters<typeof styleText>[0];

export function paint(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}

/** Lines of at most `width` characters, broken at spaces; a word that is longer than that is cut. */
export function wrapped(text: string, width: number = columns): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width));
  }
  return [...lines, line];
}

/** The text with `first` before it, and as many spaces before its further lines. */
export function hanging(first: string, text: string): readonly string[] {
  const [line = '', ...more] = wrapped(text, columns - first.length);
  return [first + line, ...more.map((one) => ' '.repeat(first.length) + one)];
}
