/** A terminal session as an animated SVG: lines appear when they were printed, and the picture ends with the last of them. */
import { columns } from '../lines.ts';

export interface Recorded {
  readonly atMs: number;
  /** With the escape sequences of its colours. */
  readonly line: string;
}

const rows = 38;
const lineHeight = 17;
const charWidth = 7.83;
const margin = 14;
const top = 38;
const width = Math.round(columns * charWidth + 2 * margin);
const height = top + rows * lineHeight + margin;

/** Pauses that only say how slow a machine was are cut to this, in ms. */
const longestPauseMs = 700;

const colours: ReadonlyMap<number, string> = new Map([
  [31, '#ff7b72'],
  [32, '#7ee787'],
  [33, '#e3b341'],
  [36, '#79c0ff'],
]);

/** `command` is typed first. The same recording makes the same bytes. */
export function svgOf(command: string, recorded: readonly Recorded[]): string {
  const typed = { atMs: 0, line: `\u001b[1m$ ${command}\u001b[22m` };
  const lines = withoutPauses([typed, ...recorded]);
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  const totalMs = lines.at(-1)?.atMs ?? 0;
  const texts = lines.map(
    ({ line, atMs }, index) =>
      `<text y="${(index + 1) * lineHeight}" style="animation-delay:${seconds(atMs)}s">${coloured(line)}</text>`,
  );
  const shifted = (index: number): number => -Math.max(0, index + 1 - rows) * lineHeight;
  const percent = (atMs: number): string => `${((atMs / Math.max(1, totalMs)) * 100).toFixed(2)}%`;
  // Of lines at one moment the last says how far everything has moved.
  const moved = new Map(lines.map(({ atMs }, index) => [percent(atMs), shifted(index)]));
  const steps = [...moved].map(([at, by]) => `${at}{transform:translateY(${by}px)}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(command)}: what it prints, as it was recorded</title>
<style>
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#e6edf3;white-space:pre;animation:appear 1ms linear both}
.all{transform:translateY(${shifted(lines.length - 1)}px);animation:scroll ${seconds(totalMs)}s step-end both}
@keyframes appear{from{opacity:0}to{opacity:1}}
@keyframes scroll{${steps.join('')}}
@media (prefers-reduced-motion:reduce){text,.all{animation:none}}
</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<circle cx="20" cy="19" r="6" fill="#ff5f57"/><circle cx="40" cy="19" r="6" fill="#febc2e"/><circle cx="60" cy="19" r="6" fill="#28c840"/>
<clipPath id="screen"><rect width="${width - 2 * margin}" height="${rows * lineHeight + 5}"/></clipPath>
<g transform="translate(${margin} ${top})" clip-path="url(#screen)"><g class="all" xml:space="preserve">
${texts.join('\n')}
</g></g>
</svg>
`;
}

function withoutPauses(recorded: readonly Recorded[]): readonly Recorded[] {
  let atMs = 0;
  return recorded.map(({ line, atMs: printedMs }, index) => {
    atMs += Math.min(longestPauseMs, printedMs - (recorded[index - 1]?.atMs ?? 0));
    return { line, atMs };
  });
}

/** The line in spans, one for each stretch of one look. */
function coloured(line: string): string {
  const look: Look = {};
  const spans: string[] = [];
  // An escape sequence and the text behind it.
  for (const [index, part] of line.split('\u001b[').entries()) {
    const [, codes = '', text = ''] = index === 0 ? ['', '', part] : (/^([\d;]*)m(.*)$/s.exec(part) ?? ['', '', part]);
    for (const code of codes.split(';').filter((one) => one !== '')) change(look, Number(code));
    if (text !== '') spans.push(`<tspan${attributes(look)}>${escaped(text)}</tspan>`);
  }
  return spans.join('');
}

interface Look {
  fill?: string;
  bold?: boolean;
  dim?: boolean;
}

function change(look: Look, code: number): void {
  const colour = colours.get(code);
  if (colour !== undefined) look.fill = colour;
  if (code === 1) look.bold = true;
  if (code === 2) look.dim = true;
  if (code === 22 || code === 0) {
    look.bold = false;
    look.dim = false;
  }
  if (code === 39 || code === 0) delete look.fill;
}

function attributes({ fill, bold, dim }: Look): string {
  const weight = bold === true ? ' font-weight="bold"' : '';
  const opacity = dim === true ? ' fill-opacity=".6"' : '';
  return (fill === undefined ? '' : ` style="fill:${fill}"`) + weight + opacity;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
