/** Tables that fit the terminal: what gives way first is said by each column. */
import { type Colour, paint } from './paint.ts';
import { cut, padded, plain, widthOf } from './text.ts';

export interface Column {
  readonly title: string;
  /** It may be cut down to this many columns. Absent: it is not cut while anything else can give way. */
  readonly least?: number;
  /** It may be left out; the highest goes first. Absent: it stays. */
  readonly drop?: number;
}

export interface Cell {
  readonly text: string;
  readonly colour?: Colour | undefined;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (Cell | string)[])[];
}

const gap = 2;

interface Fitted {
  /** Index of the column, and how wide it is. */
  readonly index: number;
  readonly width: number;
}

/** The table as lines. `columns` undefined: nothing is cut or left out, because no person is looking. */
export function tableLines({ columns, rows }: Table, width: number | undefined, colour: boolean): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? { text: cell } : cell)));
  const text = cells.map((row) => row.map((cell) => plain(cell.text)));
  const natural = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...text.map((row) => widthOf(row[index] ?? ''))),
  );
  // A column without anything in it tells nothing.
  const filled = columns.map((_, index) => index).filter((index) => text.some((row) => (row[index] ?? '') !== ''));
  const shown = fitted(columns, natural, filled, width);
  const line = (at: (index: number) => string, colourOf: (index: number) => Colour | undefined): string =>
    shown
      .map(({ index, width: room }, place) => {
        const fitting = cut(at(index), room);
        const last = place === shown.length - 1;
        return paint(fitting, colourOf(index), colour) + (last ? '' : padded('', room - widthOf(fitting) + gap));
      })
      .join('')
      .trimEnd();
  return [
    line(
      (index) => columns[index]?.title ?? '',
      () => 'dim',
    ),
    ...text.map((row, at) =>
      line(
        (index) => row[index] ?? '',
        (index) => cells[at]?.[index]?.colour,
      ),
    ),
  ];
}

function fitted(
  columns: readonly Column[],
  natural: readonly number[],
  filled: readonly number[],
  width: number | undefined,
): readonly Fitted[] {
  const all = filled.map((index) => ({ index, width: natural[index] ?? 0 }));
  if (width === undefined) return all;
  const withLeast = shrink(all, width, (index) => columns[index]?.least);
  if (totalOf(withLeast) <= width) return withLeast;
  const [drop] = all
    .filter(({ index }) => columns[index]?.drop !== undefined)
    .sort((a, b) => (columns[b.index]?.drop ?? 0) - (columns[a.index]?.drop ?? 0));
  if (drop !== undefined)
    return fitted(
      columns,
      natural,
      filled.filter((index) => index !== drop.index),
      width,
    );
  return shrink(withLeast, width, () => 4);
}

function totalOf(shown: readonly Fitted[]): number {
  return shown.reduce((sum, { width }) => sum + width, 0) + gap * Math.max(0, shown.length - 1);
}

/** Cuts from the right, where the longest and least exact texts stand. */
function shrink(
  shown: readonly Fitted[],
  width: number,
  leastOf: (index: number) => number | undefined,
): readonly Fitted[] {
  const result = shown.map((one) => ({ ...one }));
  for (const one of [...result].reverse()) {
    const over = totalOf(result) - width;
    const least = leastOf(one.index);
    if (over > 0 && least !== undefined) one.width = Math.max(Math.min(least, one.width), one.width - over);
  }
  return result;
}
