/** Where the parts of a URI stand. */
import { decodePercent } from './percent.ts';
import { malformed, type Unreadable } from './reading.ts';

const head = /^\s*(jdbc:|r2dbc:)?([a-z][a-z0-9+.-]{0,30}(?::[a-z0-9+.-]{0,30})?):\/\//i;

/** A scheme with `://`, or anything that starts with `jdbc:` or `r2dbc:`. */
export function looksLikeUri(text: string): boolean {
  return /^\s*(?:jdbc:|r2dbc:|[a-z][a-z0-9+.-]{0,30}:\/\/)/i.test(text);
}

export interface Layout {
  /** Lower case, without `jdbc:`. */
  readonly scheme: string;
  /** The name of the primary, where the hosts are Redis Sentinels. */
  readonly primary?: string;
  readonly jdbc: boolean;
  readonly text: string;
  readonly authority: number;
  /** Where the hosts end. */
  readonly hostsEnd: number;
  readonly path: number;
  readonly query: number;
  readonly end: number;
}

export function layoutOf(text: string): Layout | Unreadable {
  const match = head.exec(text);
  if (match === null) return malformed('it is no URI with "://"');
  const [start, jdbc, scheme = ''] = match;
  if (jdbc === undefined && scheme.includes(':')) return malformed('it is no URI with "://"');
  const authority = start.length;
  const end = text.trimEnd().length;
  const path = authority + text.slice(authority, end).search(/[/?#]|$/);
  const mark = text.slice(path, end).search(/[?#]|$/);
  const layout = { text, jdbc: jdbc !== undefined, authority, hostsEnd: path, path, query: path + mark, end };
  return ofSentinels({ ...layout, scheme: scheme.toLowerCase() });
}

/** `redis-sentinel://:password@sentinel,sentinel/0#primary` (Lettuce), `redis+sentinel://…/primary/0` elsewhere. */
function ofSentinels(layout: Layout): Layout | Unreadable {
  const { scheme, text, path, query, end } = layout;
  const server = /^(rediss?)[+-]sentinel$/.exec(scheme)?.[1];
  if (server === undefined) return layout;
  const mark = text.indexOf('#', query);
  const fragment = mark < 0 || mark >= end ? '' : text.slice(mark + 1, end);
  const before = fragment === '' ? end : mark;
  const segments = text.slice(path + 1, Math.min(query, before)).split('/');
  const inPath = fragment === '' && !/^\d*$/.test(segments[0] ?? '');
  const primary = decodePercent(inPath ? (segments[0] ?? '') : fragment, false);
  if (primary === undefined || primary === '') {
    return malformed('the URI of Redis Sentinels does not name the primary behind "#"');
  }
  const start = inPath ? path + 1 + (segments[0] ?? '').length : path;
  return { ...layout, scheme: server, primary, path: start, query: Math.min(query, before), end: before };
}

export interface Parameter {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

export function parametersOf(layout: Layout): readonly Parameter[] {
  const parameters: Parameter[] = [];
  for (let from = layout.query + 1; from < layout.end; ) {
    const ampersand = layout.text.indexOf('&', from);
    const end = ampersand < 0 ? layout.end : Math.min(ampersand, layout.end);
    const parameter = layout.text.slice(from, end);
    const equals = parameter.indexOf('=');
    if (equals > 0) {
      const name = parameter.slice(0, equals);
      parameters.push({ key: (decodePercent(name, false) ?? name).toLowerCase(), start: from + equals + 1, end });
    }
    from = end + 1;
  }
  return parameters;
}
