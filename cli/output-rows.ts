/** An answer as rows and cells, for tables and tab-separated text. */

/** The lists that whole answers hold. */
const lists = ['secrets', 'attempts', 'rotations', 'approvals'];

/** A list is its items, anything else one row. `queried` false: an answer that holds one of the lists above is that list. */
export function rowsOf(value: unknown, queried: boolean): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  const listed = queried ? undefined : fieldsOf(value)?.find(([name, field]) => lists.includes(name) && isList(field));
  return listed === undefined ? [value] : rowsOf(listed[1], true);
}

/** Every name in the rows, in the order of its first appearance, so that a cell stands below its like; undefined where the rows are no objects. */
export function columnsOf(rows: readonly unknown[]): readonly string[] | undefined {
  const widest = Math.max(0, ...rows.map((row) => (Array.isArray(row) ? row.length : 0)));
  if (widest > 0) return Array.from({ length: widest }, (_, index) => `column${index + 1}`);
  const names = new Set(rows.flatMap((row) => fieldsOf(row) ?? []).map(([name]) => name));
  return names.size === 0 ? undefined : [...names];
}

export function cells(row: unknown, columns: readonly string[] | undefined): readonly string[] {
  if (columns === undefined) return [cell(row)];
  if (Array.isArray(row)) return columns.map((_, index) => cell(row[index]));
  const fields = new Map(fieldsOf(row));
  return fields.size === 0 ? [cell(row)] : columns.map((name) => cell(fields.get(name)));
}

function fieldsOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
}

function isList(value: unknown): boolean {
  return Array.isArray(value);
}

/** As az has it: of a list its length, of an object nothing. What would break a row or steer a terminal is escaped. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return String(value.length);
  if (typeof value === 'object') return '';
  return String(value).replaceAll(/\p{Cc}/gu, escaped);
}

const short: ReadonlyMap<string, string> = new Map([
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\r', '\\r'],
]);

function escaped(control: string): string {
  return short.get(control) ?? `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
