/** Which secrets are shown. */
import { type Row, type State, states } from './shapes.ts';

export interface Filters {
  readonly text: string;
  readonly vault: string;
  readonly rotator: string;
  /** NAME or NAME=VALUE, as in the API. */
  readonly tag: string;
  /** Any of them; none: all that opted in. */
  readonly states: readonly State[];
}

export const noFilters: Filters = { text: '', vault: '', rotator: '', tag: '', states: [] };

/** What it does not know it leaves aside. Pure. */
export function filtersOf(search: string): Filters {
  const given = new URLSearchParams(search);
  const one = (name: string) => given.get(name) ?? '';
  const wanted = new Set(given.getAll('state'));
  return {
    ...{ text: one('q'), vault: one('vault'), rotator: one('rotator'), tag: one('tag') },
    states: states.filter((state) => wanted.has(state)),
  };
}

/** With the question mark; empty where nothing is filtered. Pure. */
export function queryOf({ text, vault, rotator, tag, states: wanted }: Filters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ q: text, vault, rotator, tag }))
    if (value !== '') query.set(name, value);
  for (const state of wanted) query.append('state', state);
  const written = query.toString();
  return written === '' ? '' : `?${written}`;
}

/** A secret with what is searched of it, made once and not with every letter that somebody types. */
export interface Indexed {
  readonly row: Row;
  readonly text: string;
}

export function indexed(row: Row): Indexed {
  const tags = Object.entries(row.tags).map(([name, value]) => `${name}=${value}`);
  const words = [
    row.secret,
    row.vault,
    row.detail,
    row.rotator,
    row.owner,
    row.pausedBy,
    ...(row.waitsFor ?? []),
    ...tags,
  ];
  return {
    row,
    text: words
      .filter((word) => word !== undefined)
      .join('\n')
      .toLowerCase(),
  };
}

/** All words must be found somewhere. Whether it fits all but the states, for their counts. Pure. */
export function fitsButState({ text, vault, rotator, tag }: Filters): (one: Indexed) => boolean {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const at = tag.indexOf('=');
  const [name, value] = at < 0 ? [tag, undefined] : [tag.slice(0, at), tag.slice(at + 1)];
  return ({ row, text: all }) => {
    if (vault !== '' && row.vault !== vault) return false;
    if (rotator !== '' && row.rotator !== rotator) return false;
    if (tag !== '') {
      const found = Object.hasOwn(row.tags, name) ? row.tags[name] : undefined;
      if (found === undefined || (value !== undefined && found !== value)) return false;
    }
    return words.every((word) => all.includes(word));
  };
}

/** Pure. */
export function fitsState({ states: wanted }: Filters, state: State): boolean {
  return wanted.length === 0 ? state !== 'unmanaged' : wanted.includes(state);
}

export interface Filtered {
  readonly shown: readonly Row[];
  /** By state, of all that the other filters leave. */
  readonly counts: ReadonlyMap<State, number>;
}

/** `all`: in the order in which they are shown. Pure. */
export function filtered(all: readonly Indexed[], filters: Filters): Filtered {
  const fits = fitsButState(filters);
  const shown: Row[] = [];
  const counts = new Map<State, number>();
  for (const one of all) {
    if (!fits(one)) continue;
    const { state } = one.row;
    counts.set(state, (counts.get(state) ?? 0) + 1);
    if (fitsState(filters, state)) shown.push(one.row);
  }
  return { shown, counts };
}
