/** Plays many histories, and makes a failing one as short as it gets. */
import { type Strategy, strategies } from '../../shared/contract/strategy.ts';
import { type Counts, noCounts } from './counts.ts';
import { PromiseBroken } from './promises.ts';
import { Simulation } from './simulation.ts';

export interface Broken {
  readonly seed: number;
  readonly strategy: Strategy;
  readonly actions: number;
  readonly what: string;
  readonly trail: readonly string[];
}

export interface Played extends Counts {
  readonly histories: number;
  readonly broken: readonly Broken[];
}

export interface Plan {
  readonly seed: number;
  readonly runs: number;
  /** Absent: all of them in turn. */
  readonly strategy?: Strategy;
  /** Ends after so many broken histories. */
  readonly mostBroken?: number;
}

/** Plays histories from the seed on. The same plan gives the same histories. */
export async function playHistories({ seed: first, runs, strategy: only, mostBroken = 1 }: Plan): Promise<Played> {
  const total = noCounts();
  const broken: Broken[] = [];
  let histories = 0;
  for (let seed = first; seed < first + runs && broken.length < mostBroken; seed++) {
    const strategy = only ?? strategies[seed % strategies.length] ?? strategies[0];
    histories++;
    const played = await play(seed, strategy, actionsOf(seed));
    add(total, played.counts);
    if (played.broken !== undefined) broken.push(await shrink(played.broken));
  }
  return { ...total, histories, broken };
}

function actionsOf(seed: number): number {
  return 20 + (seed % 90);
}

interface OnePlayed {
  readonly counts: Counts;
  readonly broken?: Broken;
}

async function play(seed: number, strategy: Strategy, actions: number): Promise<OnePlayed> {
  const simulation = new Simulation(seed, strategy);
  const { counts } = simulation;
  try {
    await simulation.play(actions);
    return { counts };
  } catch (error) {
    const what =
      error instanceof PromiseBroken ? error.message : error instanceof Error ? `${error.stack}` : String(error);
    return { counts, broken: { seed, strategy, actions, what, trail: simulation.trail } };
  }
}

/** The fewest actions after which the same seed breaks a promise. */
async function shrink(broken: Broken): Promise<Broken> {
  for (let actions = 1; actions < broken.actions; actions++) {
    const shorter = await play(broken.seed, broken.strategy, actions);
    if (shorter.broken !== undefined) return shorter.broken;
  }
  return broken;
}

function add(total: Counts, counts: Counts): void {
  const longestHealMs = Math.max(total.longestHealMs, counts.longestHealMs);
  total.versions += counts.versions;
  total.crashes += counts.crashes;
  total.emergencies += counts.emergencies;
  total.rollBacks += counts.rollBacks;
  total.retirements += counts.retirements;
  total.byHand += counts.byHand;
  total.intruders += counts.intruders;
  total.lostAnswers += counts.lostAnswers;
  total.outages += counts.outages;
  total.lostStorage += counts.lostStorage;
  total.healed += counts.healed;
  total.longestHealMs = longestHealMs;
}
