import type { BenchCase } from './bench.ts';

/** The cases as text in columns, a column for each figure that any of them has. */
export function tableOf(cases: readonly BenchCase[]): string {
  const columns = [...new Set(cases.flatMap((one) => Object.keys(one)))];
  const rows = [columns, ...cases.map((one) => columns.map((column) => String(one[column] ?? '')))];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ');
  return rows.map(line).join('\n');
}
