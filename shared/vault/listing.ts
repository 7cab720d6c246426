import * as z from 'zod';

/**
 * Where a listing goes on. The service gives a whole address, and whoever follows it sends a token there; so only its query is passed
 * around, and the host and the path are put in front anew. A made-up query gets no further than a listing of this vault.
 */
export function nextOf(body: string): string | undefined {
  const link = page.parse(JSON.parse(body)).nextLink;
  return URL.parse(link ?? '')?.search.slice(1);
}

const page = z.object({ nextLink: z.string().nullish() });

/** The address of the page that begins at `next`, in the vault at `origin` and nowhere else. */
export function listingAt(origin: string, next: string): string {
  const url = new URL('/secrets', origin);
  url.search = next;
  return url.href;
}
