import type { Context } from './context.ts';
import { evaluate, parameter, type Row, type Scope } from './evaluate.ts';
import { type ColumnType, functionType } from './functions.ts';
import { type Expression, type Select, type Source, Typed, type Value } from './syntax.ts';
import type { View } from './view.ts';
import { viewOf } from './views.ts';

export interface ResultSet {
  /** A parameter that is selected keeps the type that the client gave it. */
  readonly columns: readonly { readonly name: string; readonly type: ColumnType | Typed }[];
  readonly rows: readonly (readonly Value[])[];
}

interface Opened {
  readonly source: Source;
  readonly view: View;
  readonly nulls: Row;
}

function open(context: Context, source: Source): Opened {
  const view = viewOf(context, source.parts);
  const nulls = Object.fromEntries(Object.keys(view.columns).map((name) => [name, null]));
  return { source, view, nulls };
}

interface Key {
  /** Of the source that is joined, in lower case. */
  readonly column: string;
  /** What it has to be, of sources before. */
  readonly wanted: Expression;
}

/** A whole number of the source that its condition compares with one of another source. */
function keyOf({ source, view }: Pick<Opened, 'source' | 'view'>, on: Expression | undefined): Key | undefined {
  if (on?.kind === 'logic' && on.operator === 'and')
    return keyOf({ source, view }, on.left) ?? keyOf({ source, view }, on.right);
  if (on?.kind !== 'compare' || on.operator !== '=') return undefined;
  for (const [own, wanted] of [
    [on.left, on.right],
    [on.right, on.left],
  ] as const) {
    if (own.kind !== 'column' || wanted.kind !== 'column') continue;
    const column = own.name.toLowerCase();
    const isOwn = own.source?.toLowerCase() === source.alias.toLowerCase() && view.columns[column] === 'int';
    const isOther = wanted.source !== undefined && wanted.source.toLowerCase() !== source.alias.toLowerCase();
    if (isOwn && isOther) return { column, wanted };
  }
  return undefined;
}

/** Rows that may fit a scope. A server looks them up: without it a bench of many logins would measure this loop. */
function fitting(context: Context, opened: Opened, rows: readonly Row[]): (scope: Scope) => readonly Row[] {
  const key = keyOf(opened, opened.source.on);
  if (key === undefined) return () => rows;
  const byNumber = Map.groupBy(rows, (row) => row[key.column]);
  return (scope) => {
    const wanted = evaluate(context, scope, key.wanted);
    return typeof wanted === 'number' ? (byNumber.get(wanted) ?? []) : rows;
  };
}

function joined(context: Context, scopes: readonly Scope[], opened: Opened): Scope[] {
  const { source, view, nulls } = opened;
  const alias = source.alias.toLowerCase();
  const args = (source.args ?? []).map((one) => evaluate(context, new Map(), one));
  const rows = view.rows(context, args);
  const rowsFor = fitting(context, opened, rows);
  return scopes.flatMap((scope) => {
    const wider = rowsFor(scope).map((row): Scope => new Map([...scope, [alias, row]]));
    const { on } = source;
    const matching = on === undefined ? wider : wider.filter((one) => evaluate(context, one, on) === true);
    if (matching.length > 0 || source.join !== 'left') return matching;
    return [new Map([...scope, [alias, nulls]])];
  });
}

function typeOf(context: Context, opened: readonly Opened[], one: Expression): ColumnType | Typed {
  const given = one.kind === 'param' ? parameter(context, one.name) : undefined;
  if (given instanceof Typed) return given;
  if (one.kind === 'call') return functionType(one);
  if (one.kind === 'column') {
    const wanted = one.source?.toLowerCase();
    const views = opened.filter((each) => wanted === undefined || each.source.alias.toLowerCase() === wanted);
    return (
      views.map((each) => each.view.columns[one.name.toLowerCase()]).find((type) => type !== undefined) ?? 'nvarchar'
    );
  }
  if (one.kind !== 'literal' && one.kind !== 'param') return 'bit';
  const value = evaluate(context, new Map(), one);
  if (typeof value === 'number') return 'int';
  if (typeof value === 'boolean') return 'bit';
  return Buffer.isBuffer(value) ? 'varbinary' : 'nvarchar';
}

/** Names are checked against a row of nulls first, so that a wrong one is an error even where no row is found. */
function bind(context: Context, query: Select, opened: readonly Opened[]): void {
  const empty: Scope = new Map(opened.map((one) => [one.source.alias.toLowerCase(), one.nulls]));
  const parts = [...query.items.map((one) => one.value), ...(query.where ? [query.where] : [])];
  for (const part of parts) selected(context, empty, part);
}

/** What is selected: a parameter as it came, everything else computed. */
function selected(context: Context, scope: Scope, one: Expression): Value {
  return one.kind === 'param' ? parameter(context, one.name) : evaluate(context, scope, one);
}

/** Runs one query. */
export function runSelect(context: Context, query: Select): ResultSet {
  const opened = query.sources.map((one) => open(context, one));
  bind(context, query, opened);
  let scopes: Scope[] = [new Map()];
  for (const one of opened) scopes = joined(context, scopes, one);
  const { where } = query;
  const found = where === undefined ? scopes : scopes.filter((one) => evaluate(context, one, where) === true);
  return {
    columns: query.items.map((one) => ({ name: one.name, type: typeOf(context, opened, one.value) })),
    rows: found.map((scope) => query.items.map((one) => selected(context, scope, one.value))),
  };
}
