/** Several vaults, a few of them at a time. */

/** All vaults of a subscription together may be called as often as five of them: so many at their own limit are what it takes. */
export const mostVaultsAtOnce = 5;

/**
 * Works on all, so many at once, and gives the results in the order of the items. `from` (0 to 1): where it begins, so that whatever ends the
 * work early does not always leave the same ones out.
 */
export async function atOnce<Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Result>,
  from = 0,
): Promise<readonly Result[]> {
  const first = Math.floor(from * items.length);
  const entries = [...items.entries()];
  const left = [...entries.slice(first), ...entries.slice(0, first)].values();
  const results = new Map<number, Result>();
  const worker = async (): Promise<void> => {
    for (const [at, item] of left) results.set(at, await work(item));
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
