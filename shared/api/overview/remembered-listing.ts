/**
 * Listings of vaults, remembered by one instance for as long as people look. A listing costs a call for 25 secrets, whoever asks and however
 * often, so every open dashboard of an instance lives on one (docs/decisions/17-live-dashboard.md).
 */
import type { SecretProperties, Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';

export interface ListedPage {
  readonly kind: 'listed-page';
  readonly secrets: readonly SecretProperties[];
  /** The vault's clock now. */
  readonly now: Date;
}

export interface Listings {
  /** Every page of a vault, at once where it is remembered and as it comes where it is not. A failure ends it. May be called again. */
  pages(vault: Vault, signal: AbortSignal): AsyncIterable<ListedPage | Failure>;
}

interface Remembered {
  readonly atMs: number;
  readonly pages: readonly {
    readonly secrets: readonly SecretProperties[];
    readonly readAt: Date;
    readonly atMs: number;
  }[];
}

/** How long a listing is believed, in ms: a vault of any size is asked at most four times a second, a thousandth of what it allows. */
export function believedMs(pages: number): number {
  return Math.max(10_000, pages * 250);
}

export function rememberedListings(elapsedMs: () => number): Listings {
  const remembered = new Map<string, Remembered>();
  const running = new Map<string, Promise<void>>();

  async function* list(vault: Vault, signal: AbortSignal): AsyncGenerator<ListedPage | Failure> {
    const { promise, resolve } = Promise.withResolvers<void>();
    running.set(vault.name, promise);
    const atMs = elapsedMs();
    const pages: Remembered['pages'][number][] = [];
    try {
      for await (const page of vault.list({ signal })) {
        if (isFailure(page)) {
          yield page;
          return;
        }
        const { secrets, readAt } = page;
        pages.push({ secrets, readAt, atMs: elapsedMs() });
        yield { kind: 'listed-page', secrets, now: readAt };
      }
      remembered.set(vault.name, { atMs, pages });
    } finally {
      // Also where whoever asked has gone away in the middle.
      running.delete(vault.name);
      resolve();
    }
  }

  return {
    async *pages(vault, signal) {
      for (;;) {
        const known = remembered.get(vault.name);
        if (known !== undefined && elapsedMs() - known.atMs < believedMs(known.pages.length)) {
          for (const { secrets, readAt, atMs } of known.pages)
            yield { kind: 'listed-page', secrets, now: new Date(readAt.getTime() + elapsedMs() - atMs) };
          return;
        }
        const other = running.get(vault.name);
        if (other === undefined) break;
        await other;
      }
      yield* list(vault, signal);
    },
  };
}
