import type { SeenVersions } from '../contract/state.ts';

/** One version of one secret. */
export function seenKey(vault: string, secret: string, version: string): string {
  return `${vault}/${secret}/${version}`.toLowerCase();
}

/** More than this begin anew. */
const mostRemembered = 10_000;

/** One for each process. */
export function rememberedVersions(): SeenVersions {
  const seen = new Set<string>();
  return {
    has: (key) => seen.has(key),
    add(key) {
      if (seen.size >= mostRemembered) seen.clear();
      seen.add(key);
    },
  };
}
