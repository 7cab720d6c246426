import type { Method, Route } from './route.ts';

export type Found =
  | { readonly kind: 'route'; readonly route: Route; readonly path: Readonly<Record<string, string>> }
  | { readonly kind: 'other-method' }
  | { readonly kind: 'none' };

/** Finds the route of a path below `/api/v1`. Names in the path are given back decoded. Pure. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found {
  const fitting = fittingRoutes(routes, path);
  if (fitting.length === 0) return { kind: 'none' };
  const found = fitting.find(({ route }) => route.method === method);
  if (found !== undefined) return { kind: 'route', ...found };
  return { kind: 'other-method' };
}

/** What may be sent to a path: the methods of its routes, HEAD where there is GET, and OPTIONS. Pure. */
export function allowedOn(routes: readonly Route[], path: string): readonly (Method | 'HEAD' | 'OPTIONS')[] {
  const methods = fittingRoutes(routes, path).map(({ route }) => route.method);
  return [...methods, ...(methods.includes('GET') ? ['HEAD' as const] : []), 'OPTIONS'];
}

function fittingRoutes(routes: readonly Route[], path: string) {
  return routes.flatMap((route) => {
    const named = match(route.path, path);
    return named === undefined ? [] : [{ route, path: named }];
  });
}

function match(template: string, path: string): Readonly<Record<string, string>> | undefined {
  const parts = template.split('/');
  const given = path.replace(/\/$/, '').split('/');
  if (parts.length !== given.length) return undefined;
  const named: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const text = decoded(given[index] ?? '');
    if (text === undefined) return undefined;
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name !== undefined) named[name] = text;
    else if (part !== text) return undefined;
  }
  return named;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (notUtf8) {
    if (notUtf8 instanceof URIError) return undefined;
    throw notUtf8;
  }
}
