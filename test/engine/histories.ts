/** Plays many histories, and makes a failing one as short as it gets. */
import { type Strategy, strategies, strategyTraits } from '../../shared/contract/strategy.ts';
import { type Counts, noCounts } from './counts.ts';
import { PromiseBroken } from './promises.ts';
import { Simulation } from './simulation.ts';
import { WritersSimulation } from './simulation-of-writers.ts';

/** `rotations`: people, workers and faults. `writers`: somebody else who writes versions, copies and a second secret of the login besides. */
export const worlds = ['rotations', 'writers'] as const;

export type WorldKind = (typeof worlds)[number];

/** Every so many-th history has other writers. */
const writersEvery = 4;

export interface Broken {
  readonly seed: number;
  readonly world: WorldKind;
  readonly strategy: Strategy;
  readonly actions: number;
  readonly what: string;
  readonly trail: readonly string[];
}

export interface Played extends Counts {
  readonly histories: number;
  readonly broken: readonly Broken[];
}

/** Which histories; absent: all of them in turn. */
export interface Only {
  readonly strategy?: Strategy | undefined;
  readonly world?: WorldKind | undefined;
  /** Months that each goes on for at least, by the simulated clock. */
  readonly months?: number | undefined;
}

export interface Plan extends Only {
  readonly seed: number;
  readonly runs: number;
  /** Ends after so many broken histories. */
  readonly mostBroken?: number;
}

export interface OnePlayed {
  readonly counts: Counts;
  readonly broken?: Broken;
}

/** Plays histories from the seed on, one after the other. The same plan gives the same histories. */
export async function playHistories(plan: Plan): Promise<Played> {
  const tally = new Tally(plan);
  for (let seed = plan.seed; !tally.isOver; seed++) await tally.add(await playOne(seed, plan));
  return tally.played;
}

/** What came of histories, taken in the order of their seeds. */
export class Tally {
  readonly #plan: Plan;
  readonly #total = noCounts();
  readonly #broken: Broken[] = [];
  #histories = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get isOver(): boolean {
    const { runs, mostBroken = 1 } = this.#plan;
    return this.#histories >= runs || this.#broken.length >= mostBroken;
  }

  async add({ counts, broken }: OnePlayed): Promise<void> {
    this.#histories++;
    add(this.#total, counts);
    if (broken !== undefined) this.#broken.push(await shrink(broken, this.#plan));
  }

  get played(): Played {
    return { ...this.#total, histories: this.#histories, broken: this.#broken };
  }
}

/** The history of one seed. */
export function playOne(seed: number, only: Only): Promise<OnePlayed> {
  const world = only.world ?? (seed % writersEvery === writersEvery - 1 ? 'writers' : 'rotations');
  const actions = 20 + (seed % 90);
  const strategy = only.strategy ?? strategyOf(seed, world);
  // What has no target has no login that somebody else could hold.
  const isPlayed = world === 'rotations' || strategyTraits[strategy].hasTarget;
  return play({ seed, world: isPlayed ? world : 'rotations', strategy, actions }, only);
}

function strategyOf(seed: number, world: WorldKind): Strategy {
  const all = world === 'rotations' ? strategies : strategies.filter((one) => strategyTraits[one].hasTarget);
  const at = world === 'rotations' ? seed : Math.floor(seed / writersEvery);
  return all[at % all.length] ?? strategies[0];
}

type One = Pick<Broken, 'seed' | 'world' | 'strategy' | 'actions'>;

async function play(one: One, { months = 0 }: Only): Promise<OnePlayed> {
  const { seed, world, strategy, actions } = one;
  const simulation = world === 'rotations' ? new Simulation(seed, strategy) : new WritersSimulation(seed, strategy);
  const { counts } = simulation;
  try {
    await simulation.play(actions, months);
    return { counts };
  } catch (error) {
    const what =
      error instanceof PromiseBroken ? error.message : error instanceof Error ? `${error.stack}` : String(error);
    return { counts, broken: { ...one, what, trail: simulation.trail } };
  }
}

/** The fewest actions after which the same seed breaks a promise. */
async function shrink(broken: Broken, only: Only): Promise<Broken> {
  for (let actions = 1; actions < broken.actions; actions++) {
    const shorter = await play({ ...broken, actions }, only);
    if (shorter.broken !== undefined) return shorter.broken;
  }
  return broken;
}

function add(total: Counts, counts: Counts): void {
  const longestHealMs = Math.max(total.longestHealMs, counts.longestHealMs);
  for (const name of countNames) total[name] += counts[name];
  total.longestHealMs = longestHealMs;
}

const countNames = [
  ...(['versions', 'crashes', 'emergencies', 'rollBacks', 'retirements', 'byHand', 'intruders'] as const),
  ...(['lostAnswers', 'outages', 'lostStorage', 'healed', 'writtenByOthers', 'told', 'adopted', 'shared'] as const),
];
