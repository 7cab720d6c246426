import type { Refreshed, VersionNews } from '../watch-secret.ts';

/** The type of the event that tells of a new version; all others are of no use to a consumer. */
export const secretRotated = 'Keyturn.SecretRotated';

/** Whoever wants to know of new versions: a `WatchedSecret`. */
export interface NewsReader {
  notify(news: VersionNews): Promise<Refreshed | { readonly kind: 'ignored' }>;
}
