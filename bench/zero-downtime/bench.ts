import type { BenchCase, BenchOptions, Broken, Run } from '../bench.ts';
import { type Consumer, startConsumer } from './consumer.ts';
import { runEmergencies } from './emergency.ts';
import { runLagging } from './lagging.ts';
import { rotate, untilRetired } from './operator.ts';
import { consumerNames, type Stage, startStage } from './stage.ts';
import { type SteadyLoad, startLoad } from './steady-load.ts';
import type { Target } from './target.ts';

/** Over all targets. */
const queriesPerSecond = 500;
const mostRotations = 20;
const leastRotations = 2;

export const run: Run = async (options) => {
  const stage = await startStage();
  try {
    const rotated = await underLoad(stage, options);
    return [...rotated, await runLagging(stage, options), ...(await runEmergencies(stage, options))];
  } finally {
    await stage.close();
  }
};

/** A load on all targets that stops when the last of them has had its last rotation. */
async function underLoad(stage: Stage, { quick, progress }: BenchOptions): Promise<readonly BenchCase[]> {
  const rates = sharesOf(queriesPerSecond, stage.targets.length);
  const loads: Loaded[] = [];
  try {
    for (const [index, target] of stage.targets.entries()) {
      const consumer = await startConsumer(stage, target, consumerNames.follows);
      loads.push({ target, consumer, load: startLoad(consumer.query, rates[index] ?? 0) });
    }
    const rotations = quick ? leastRotations : mostRotations;
    const done = await Promise.all(loads.map(({ target }) => rotateOften(stage, target, rotations, progress)));
    return await Promise.all(
      loads.map(async (one, index) => ({ ...(await figuresOf(one, progress)), ...done[index] })),
    );
  } finally {
    for (const { target, consumer, load } of loads) {
      await load.stop();
      await consumer.end();
      for (const problem of consumer.problems) progress(`${target.name}: the consumer was told: ${problem}`);
    }
  }
}

interface Loaded {
  readonly target: Target;
  readonly consumer: Consumer;
  readonly load: SteadyLoad;
}

async function figuresOf({ target, load }: Loaded, progress: BenchOptions['progress']): Promise<BenchCase> {
  const { firstError, ...figures } = await load.stop();
  if (firstError !== undefined) progress(`${target.name}: the first error was: ${firstError}`);
  return { name: target.name, strategy: target.strategy, ...figures };
}

/** Rotations of one target one after the other, each to its very end. */
async function rotateOften(stage: Stage, target: Target, rotations: number, progress: BenchOptions['progress']) {
  let oldRefused = 0;
  let retiredByEvidence = 0;
  for (let done = 1; done <= rotations; done++) {
    const rotated = await rotate(stage, target.secret);
    const { evidence } = await untilRetired(stage, target.secret, rotated);
    if (!(await target.accepts(rotated.oldValue))) oldRefused += 1;
    if (evidence === 'free') retiredByEvidence += 1;
    if (done % 5 === 0 || done === rotations) progress(`${target.name}: ${done} of ${rotations} rotations`);
  }
  return { rotations, oldRefused, retiredByEvidence };
}

/** Whole numbers that add up. */
function sharesOf(total: number, parts: number): readonly number[] {
  return Array.from(
    { length: parts },
    (_, at) => Math.floor(((at + 1) * total) / parts) - Math.floor((at * total) / parts),
  );
}

export const broken: Broken = (cases) =>
  cases.flatMap((one) => {
    const claims: Claims = [noneFailed(one), ...claimsOf(one)];
    return claims.flatMap(([holds, otherwise]) => (holds ? [] : [`${one.name}: ${otherwise}`]));
  });

type Claim = readonly [holds: boolean, otherwise: string];
type Claims = readonly Claim[];

function claimsOf(one: BenchCase): Claims {
  switch (one.name) {
    case 'lagging-consumer':
      return laggingClaims(one);
    case 'emergency':
    case 'emergency-mysql':
      return emergencyClaims(one);
    default:
      return rotationClaims(one);
  }
}

function noneFailed(one: BenchCase): Claim {
  return [one['failedQueries'] === 0, `${one['failedQueries']} queries failed`];
}

/** Longest time from the end of the first session of a leaked password to the end of the last, in ms. */
const mostCutMs = 2_000;

function emergencyClaims(one: BenchCase): Claims {
  return [
    [one['sessionsLeft'] === 0, `${one['sessionsLeft']} of ${one['heldSessions']} sessions go on`],
    [Number(one['endedWithinMs']) < mostCutMs, `ending all sessions took ${one['endedWithinMs']} ms`],
    [one['oldRefused'] === true, 'the old credential is not refused'],
  ];
}

function rotationClaims(one: BenchCase): Claims {
  const { rotations } = one;
  return [
    [one['oldRefused'] === rotations, `only ${one['oldRefused']} of ${rotations} old credentials are refused`],
    [
      one['retiredByEvidence'] === rotations,
      `only ${one['retiredByEvidence']} of ${rotations} retirements came by evidence`,
    ],
  ];
}

function laggingClaims(one: BenchCase): Claims {
  return [
    [one['namedWhileWaiting'] === true, 'it was not named while it was waited for'],
    [one['acceptedUntilDeadline'] === true, 'it was refused before its deadline'],
    [one['cutAtDeadline'] === true, 'it was not named when it was cut'],
    [one['oldRefused'] === true, 'the old credential is not refused'],
  ];
}
