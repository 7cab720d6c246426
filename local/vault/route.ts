/** Which operation a method and a path ask for. Pure; knows nothing of the store. */
import type { Answer } from './answer.ts';
import { invalidName, methodNotAllowed, notFound, unknownOperation } from './errors.ts';

export const operations = [
  'set',
  'get',
  'versions',
  'update',
  'list',
  'delete',
  'list-deleted',
  'get-deleted',
  'recover',
  'purge',
  'backup',
  'restore',
] as const;
export type Operation = (typeof operations)[number];

export interface Route {
  readonly operation: Operation;
  /** Empty for operations on the whole vault. */
  readonly name: string;
  /** Absent: the newest. */
  readonly version?: string;
}

export type Routed =
  | { readonly kind: 'route'; readonly route: Route }
  | { readonly kind: 'none'; readonly answer: Answer };

const legalName = /^[0-9a-zA-Z-]{1,127}$/;
const versionId = /^[0-9a-f]{32}$/i;

const to = (operation: Operation, name = '', version?: string): Routed => ({
  kind: 'route',
  route: { operation, name, ...(version === undefined ? {} : { version: version.toLowerCase() }) },
});
const none = (answer: Answer): Routed => ({ kind: 'none', answer });

/** `path` is the part of the URL before the query, still percent-encoded. Empty segments count for nothing, as at the service. */
export function findRoute(method: string, path: string): Routed {
  const segments = path.split('/').filter((segment) => segment !== '');
  const [collection, name, rest] = segments;
  if (segments.length > 3) return none(notFound());
  switch (collection?.toLowerCase()) {
    case 'secrets':
      return secretRoute(method, name, rest);
    case 'deletedsecrets':
      return deletedRoute(method, name, rest);
    default:
      return none(notFound());
  }
}

function secretRoute(method: string, name: string | undefined, rest: string | undefined): Routed {
  if (name === undefined) return method === 'GET' ? to('list') : none(methodNotAllowed(method));
  if (method === 'POST' && name === 'restore' && rest === undefined) return to('restore');
  if (!legalName.test(name)) return none(invalidName(decoded(name)));
  if (rest === undefined) return wholeSecret(method, name);
  if (method === 'GET' && rest === 'versions') return to('versions', name);
  if (method === 'POST' && rest === 'backup') return to('backup', name);
  if (!versionId.test(rest)) return none(unknownOperation(method, decoded(rest)));
  if (method === 'GET') return to('get', name, rest);
  if (method === 'PATCH') return to('update', name, rest);
  return none(methodNotAllowed(method));
}

function wholeSecret(method: string, name: string): Routed {
  switch (method) {
    case 'PUT':
      return to('set', name);
    case 'GET':
      return to('get', name);
    case 'PATCH':
      return to('update', name);
    case 'DELETE':
      return to('delete', name);
    default:
      return none(methodNotAllowed(method));
  }
}

function deletedRoute(method: string, name: string | undefined, rest: string | undefined): Routed {
  if (name === undefined) return method === 'GET' ? to('list-deleted') : none(methodNotAllowed(method));
  if (!legalName.test(name)) return none(invalidName(decoded(name)));
  if (rest !== undefined)
    return method === 'POST' && rest === 'recover'
      ? to('recover', name)
      : none(unknownOperation(method, decoded(rest)));
  if (method === 'GET') return to('get-deleted', name);
  if (method === 'DELETE') return to('purge', name);
  return none(methodNotAllowed(method));
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A broken escape stands for itself: it is only quoted back to the caller.
    return segment;
  }
}
