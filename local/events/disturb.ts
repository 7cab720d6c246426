/** The disorder Event Grid allows itself, on demand and repeatable: events twice, events out of order. */

export interface Disturbance {
  /** How many times more each event is delivered. */
  readonly duplicates?: number;
  /** Seed of the order in which events that come close together are delivered. */
  readonly shuffle?: number;
}

/** A permutation that depends on the seed alone. */
export function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const next = generator(seed);
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    const [moved] = result.splice(other, 1);
    if (moved !== undefined) result.splice(last, 0, moved);
  }
  return result;
}

// A linear congruential generator with the constants of Numerical Recipes: enough to mix a list, never for secrets.
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
