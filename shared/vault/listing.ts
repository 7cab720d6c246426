/**
 * Where a listing goes on. The service gives a whole address, and whoever follows it sends a token there; so only its query is passed
 * around, and the host and the path are put in front anew. A made-up query gets no further than a listing of this vault.
 */
export function nextOf(page: object): string | undefined {
  const link: unknown = 'continuationToken' in page ? page.continuationToken : undefined;
  if (typeof link !== 'string' || !URL.canParse(link)) return undefined;
  return new URL(link).search.slice(1);
}

/** The address of the page that begins at `next`, in the vault at `origin` and nowhere else. */
export function listingAt(origin: string, next: string): string {
  const url = new URL('/secrets', origin);
  url.search = next;
  return url.href;
}
