/** The matrix: which points there are, which of them are played, and playing them on two targets at a time. */
import { startAzurite } from '../../local/azurite.ts';
import { Random } from '../engine/random.ts';
import { type Cell, inTurns, Lane, type Played } from './lane.ts';
import type { Point } from './protocol.ts';
import type { MatrixTarget } from './target.ts';
import { works } from './work.ts';

export interface Choice {
  readonly targets: readonly MatrixTarget[];
  readonly strategy: string | undefined;
  readonly work: string | undefined;
  /** Absent: all points. */
  readonly sample: { readonly count: number; readonly seed: number } | undefined;
}

/** So many deliveries stand in one process before it is killed. */
const inOneProcess = 40;
/** Targets that are played side by side: the machine has two processors at least. */
const sideBySide = 2;

export interface Matrix {
  readonly played: readonly Played[];
  /** Points to which the worker did not come, as it had less to do than the first time. Nothing was killed there. */
  readonly notReached: number;
}

interface Planned {
  readonly lane: Lane;
  readonly cell: Cell;
  readonly points: readonly Point[];
}

/** Rejects when a work does not come right even without a kill. */
export async function runMatrix(choice: Choice, tell: (line: string) => void): Promise<Matrix> {
  const storage = await startAzurite();
  const lanes: Lane[] = [];
  try {
    const all: Planned[] = [];
    await inTurns(choice.targets, sideBySide, async (target) => {
      const lane = await Lane.start(target, storage);
      lanes.push(lane);
      for (const cell of cellsOf(target, choice)) all.push({ lane, cell, points: pointsOf(await lane.trace(cell)) });
    });
    const planned = sampled(inOrder(all, choice.targets), choice.sample);
    const played: Played[] = [];
    await inTurns(lanes, sideBySide, async (lane) => {
      for (const { cell, points } of planned.filter((one) => one.lane === lane)) {
        for (let at = 0; at < points.length; at += inOneProcess) {
          played.push(...(await lane.play(cell, points.slice(at, at + inOneProcess))));
        }
        if (points.length > 0) tell(`${cell.target}/${cell.strategy}/${cell.work.name}: ${points.length} points`);
      }
    });
    return { played, notReached: planned.reduce((sum, { points }) => sum + points.length, 0) - played.length };
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
    await storage.close();
  }
}

function cellsOf(target: MatrixTarget, { strategy, work }: Choice): readonly Cell[] {
  return target.strategies
    .filter((one) => strategy === undefined || one === strategy)
    .flatMap((one) =>
      works.filter(({ of }) => of(one)).map((each) => ({ target: target.name, strategy: one, work: each })),
    )
    .filter((cell) => work === undefined || cell.work.name === work);
}

/** Before and after each side effect. Before a message to a target is after the answer to the one before it. */
function pointsOf(calls: readonly string[]): readonly Point[] {
  return calls.flatMap((name, call): readonly Point[] =>
    name.includes(', message ')
      ? [{ call, when: 'before' }]
      : [
          { call, when: 'before' },
          { call, when: 'after' },
        ],
  );
}

/** Targets are traced side by side; the same seed must mean the same points all the same. */
function inOrder(planned: readonly Planned[], targets: readonly MatrixTarget[]): readonly Planned[] {
  return targets.flatMap((target) => planned.filter(({ cell }) => cell.target === target.name));
}

function sampled(planned: readonly Planned[], sample: Choice['sample']): readonly Planned[] {
  if (sample === undefined) return planned;
  const random = new Random(sample.seed);
  const left = planned.flatMap(({ points }, at) => points.map((point) => ({ at, point })));
  const taken: { readonly at: number; readonly point: Point }[] = [];
  while (taken.length < sample.count && left.length > 0) {
    taken.push(...left.splice(random.below(left.length), 1));
  }
  return planned.map((one, at) => ({
    ...one,
    points: taken.filter((each) => each.at === at).map(({ point }) => point),
  }));
}
