/**
 * Two ways of doing the same, measured in turns. On a machine that does other things too, a figure in seconds says more about the
 * moment than about the code; done in pairs, both ways meet the same moments, and their ratio stays.
 */

export interface PairOptions {
  /** Rounds that are not counted: caches, connections and compiled code. */
  readonly warmUp: number;
  readonly pairs: number;
  readonly progress: (line: string) => void;
}

export interface Measured {
  /** Median of the first way through median of the second. */
  readonly ratio: number;
  readonly firstMs: number;
  readonly secondMs: number;
}

/** Both ways give their own time in ms, so that what has to be prepared for a round is not counted. */
export async function measurePairs(
  first: () => Promise<number>,
  second: () => Promise<number>,
  { warmUp, pairs, progress }: PairOptions,
): Promise<Measured> {
  for (let round = 0; round < warmUp; round++) {
    await first();
    await second();
  }
  const firsts: number[] = [];
  const seconds: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    // Who goes first changes with each pair: what the one leaves behind for the other is shared out.
    if (pair % 2 === 0) firsts.push(await first());
    seconds.push(await second());
    if (pair % 2 === 1) firsts.push(await first());
    if ((pair + 1) % Math.ceil(pairs / 4) === 0) progress(`${pair + 1} of ${pairs} pairs`);
  }
  const [firstMs, secondMs] = [median(firsts), median(seconds)];
  return { ratio: firstMs / secondMs, firstMs, secondMs };
}

/** Several ways of doing the same, each once in a round. Gives the median of each, in ms. */
export async function measureTurns(
  ways: readonly (() => Promise<number>)[],
  { warmUp, pairs, progress }: PairOptions,
): Promise<readonly number[]> {
  const times = ways.map((): number[] => []);
  for (let round = 0; round < warmUp + pairs; round++) {
    // Who begins changes with each round: what one leaves behind for the next is shared out.
    for (let turn = 0; turn < ways.length; turn++) {
      const at = (round + turn) % ways.length;
      const ms = await ways[at]?.();
      if (ms !== undefined && round >= warmUp) times[at]?.push(ms);
    }
    const counted = round + 1 - warmUp;
    if (counted > 0 && counted % Math.ceil(pairs / 4) === 0) progress(`${counted} of ${pairs} rounds`);
  }
  return times.map(median);
}

/** The middle one, or the mean of the two in the middle. Throws without a number to choose from. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  if (low === undefined || high === undefined) throw new RangeError('there is no median of nothing');
  return (low + high) / 2;
}

/** Time in ms that the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** For a table: more digits than the measurement has would only look exact. */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
