/** The picture of the README: drawn from what the demo printed, and still what it prints. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { reportLines } from '../../local/demo/report.ts';
import { svgOf } from '../../local/demo/svg.ts';
import { root } from '../tidy/files.ts';

/** The lines as a person reads them. */
function textOf(svg: string): readonly string[] {
  return [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, spans = '']) =>
    spans
      .replace(/<[^>]+>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&'),
  );
}

describe('a recording', () => {
  const red = '\u001b[31m<no> & no\u001b[39m';
  const recorded = [
    { atMs: 100, line: `one ${red} \u001b[1mtwo\u001b[22m` },
    { atMs: 60_100, line: 'three' },
  ];

  it('shows each line with its colours, escaped, and no escape sequence', () => {
    const svg = svgOf('a command', recorded);
    expect(textOf(svg)).toEqual(['$ a command', 'one <no> & no two', 'three']);
    expect(svg).toContain('<tspan style="fill:#ff7b72">&lt;no&gt; &amp; no</tspan>');
    expect(svg).not.toContain('\u001b');
  });

  it('cuts long pauses, and makes the same bytes of the same lines', () => {
    const svg = svgOf('a command', recorded);
    expect(svg).toContain('animation-delay:0.80s');
    expect(svgOf('a command', recorded)).toBe(svg);
  });
});

describe('docs/demo.svg', () => {
  it('ends as the demo ends today: everything was shown, every promise was kept', async () => {
    const lines = textOf(await readFile(join(root, 'docs', 'demo.svg'), 'utf8'));
    const leftOut = { scenes: [], command: '' };
    const end = reportLines({ outcomes: [], ofOthers: [], leftOut, steps: false });
    const plain = end.slice(end.findIndex((line) => line.includes('Every promise was kept.')));
    expect(lines.slice(-plain.length)).toEqual(plain.map((line) => stripVTControlCharacters(line)));
  });

  it('fits the columns it is drawn for, and shows a rotation to its end', async () => {
    const lines = textOf(await readFile(join(root, 'docs', 'demo.svg'), 'utf8'));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    for (const words of ['near expiry', 'rotated: ', 'retired ', 'Starting servers'])
      expect(
        lines.some((line) => line.includes(words)),
        words,
      ).toBe(true);
  });
});
