/** Pages of 25 and the links between them. A link is to be followed as it stands; what is in its token is nobody's business. */
import * as z from 'zod';
import type { Answer } from './answer.ts';
import { badParameter } from './errors.ts';

export const maxPage = 25;

const tokenSchema = z.strictObject({ listing: z.string(), at: z.union([z.int().min(0), z.string()]) });

/** Where a page starts: a sequence number, or the id before it. */
export type Cursor = z.output<typeof tokenSchema>['at'];

export interface PageRequest {
  readonly limit: number;
  /** Absent: the first page. */
  readonly cursor?: Cursor;
}

export type PageAsked =
  | { readonly kind: 'page'; readonly page: PageRequest }
  | { readonly kind: 'refused'; readonly answer: Answer };

/** `listing` names what is listed: a token of another listing is refused. */
export function readPageRequest(query: URLSearchParams, listing: string): PageAsked {
  const asked = query.get('maxresults');
  const limit = asked === null ? maxPage : Number(asked);
  if (!Number.isInteger(limit) || limit < 1 || limit > maxPage)
    return {
      kind: 'refused',
      answer: badParameter(`Parameter 'maxresults' must be a whole number from 1 to ${maxPage}.`),
    };
  const token = query.get('$skiptoken');
  if (token === null) return { kind: 'page', page: { limit } };
  const cursor = readToken(token, listing);
  return cursor === undefined
    ? { kind: 'refused', answer: badParameter("Parameter '$skiptoken' is not valid.") }
    : { kind: 'page', page: { limit, cursor } };
}

/** The body of a page; `next` absent on the last one, which says so with a null link as the service does. */
export function pageBody(items: readonly object[], address: string, query: URLSearchParams, next?: Cursor): object {
  if (next === undefined) return { value: items, nextLink: null };
  const { pathname, origin } = new URL(address);
  const listing = listingOf(pathname);
  const token = Buffer.from(JSON.stringify({ listing, at: next })).toString('base64url');
  const limit = query.get('maxresults');
  const link = `${origin}${pathname}?api-version=${encodeURIComponent(query.get('api-version') ?? '')}&$skiptoken=${token}`;
  return { value: items, nextLink: limit === null ? link : `${link}&maxresults=${limit}` };
}

/** Name of a listing in tokens: its path, whatever its case and slashes. */
export function listingOf(path: string): string {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .join('/')
    .toLowerCase();
}

function readToken(token: string, listing: string): Cursor | undefined {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    // A token that is not ours is refused by the caller.
    return undefined;
  }
  const parsed = tokenSchema.safeParse(json);
  return parsed.success && parsed.data.listing === listing ? parsed.data.at : undefined;
}
