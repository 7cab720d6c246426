/** The matrix: which points there are, which of them are played, and playing them on two targets at a time. */
import { startAzurite } from '../../local/azurite.ts';
import { shortHash } from '../../shared/engine/policy/identifiers.ts';
import { type Cell, type Entry, inTurns, Lane, type Played } from './lane.ts';
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
    const planned = sampled(all, choice.sample);
    const played: Played[] = [];
    await inTurns(lanes, sideBySide, async (lane) => {
      const own = planned.filter((one) => one.lane === lane);
      for (const batch of batchesOf(own)) {
        const done = await lane.play(batch);
        played.push(...done);
        const good = done.filter(({ wrong }) => wrong.length === 0).length;
        tell(`${lane.target.name}: ${done.length} points, ${good} recovered`);
      }
    });
    return { played, notReached: planned.reduce((sum, { points }) => sum + points.length, 0) - played.length };
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
    await storage.close();
  }
}

/** Works of one batch are all within the overlap, or all past it: they share a clock. */
function batchesOf(planned: readonly Planned[]): readonly (readonly Entry[])[] {
  return [true, undefined].flatMap((over) => {
    const entries = planned
      .filter(({ cell }) => cell.work.overlapOver === over)
      .flatMap(({ cell, points }) => points.map((point) => ({ cell, point })));
    const count = Math.ceil(entries.length / inOneProcess);
    return Array.from({ length: count }, (_, at) => entries.slice(at * inOneProcess, (at + 1) * inOneProcess));
  });
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

/**
 * The points whose names come first when hashed with the seed: one effect more in one work, as happens where a worker polls, changes nothing in
 * the others.
 */
export function sampled<Each extends { readonly cell: Cell; readonly points: readonly Point[] }>(
  planned: readonly Each[],
  sample: Choice['sample'],
): readonly Each[] {
  if (sample === undefined) return planned;
  const named = planned.flatMap(({ cell: { target, strategy, work }, points }) =>
    points.map((point) => ({
      point,
      rank: shortHash(`${sample.seed}`, target, strategy, work.name, `${point.call} ${point.when}`),
    })),
  );
  const taken = new Set(
    named
      .sort((a, b) => (a.rank < b.rank ? -1 : 1))
      .slice(0, sample.count)
      .map(({ point }) => point),
  );
  return planned.map((one) => ({ ...one, points: one.points.filter((point) => taken.has(point)) }));
}
