/** Which page an address leads to, and which address a page has. Filters stand in the address, so that a view can be sent to a colleague. */
import { type Filters, filtersOf, queryOf } from './filters.ts';

export type Place =
  | { readonly page: 'list'; readonly filters: Filters }
  | { readonly page: 'secret'; readonly vault: string; readonly secret: string }
  | { readonly page: 'approvals'; readonly id?: string }
  | { readonly page: 'calendar' }
  | { readonly page: 'fleet' };

/** What no page has leads to the list. Pure. */
export function placeOf(pathname: string, search: string): Place {
  const parts = pathname.split('/').slice(1).map(decoded);
  const [first = '', second, third] = parts;
  if (first === 'secrets' && second !== undefined && third !== undefined)
    return { page: 'secret', vault: second, secret: third };
  if (first === 'approvals') return { page: 'approvals', ...(second === undefined ? {} : { id: second }) };
  if (first === 'calendar' || first === 'fleet') return { page: first };
  return { page: 'list', filters: filtersOf(search) };
}

/** Pure. */
export function addressOf(place: Place): string {
  switch (place.page) {
    case 'list':
      return `/${queryOf(place.filters)}`;
    case 'secret':
      return secretAddress(place);
    case 'approvals':
      return place.id === undefined ? '/approvals' : `/approvals/${encodeURIComponent(place.id)}`;
    case 'calendar':
    case 'fleet':
      return `/${place.page}`;
  }
}

export function secretAddress({ vault, secret }: { readonly vault: string; readonly secret: string }): string {
  return `/secrets/${encodeURIComponent(vault)}/${encodeURIComponent(secret)}`;
}

/** Of the API. */
export function apiPathOf({ vault, secret }: { readonly vault: string; readonly secret: string }): string {
  return `/vaults/${encodeURIComponent(vault)}/secrets/${encodeURIComponent(secret)}`;
}

/** For the title of the window. */
export function titleOf(place: Place): string {
  switch (place.page) {
    case 'list':
      return 'Secrets';
    case 'secret':
      return place.secret;
    case 'approvals':
      return 'Approvals';
    case 'calendar':
      return 'Calendar';
    case 'fleet':
      return 'Fleet';
  }
}

/** What is not UTF-8 stands for itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (notUtf8) {
    if (notUtf8 instanceof URIError) return part;
    throw notUtf8;
  }
}
