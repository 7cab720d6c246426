import type { BenchCase, BenchOptions, Broken, Run } from '../bench.ts';
import { startConsumer } from './consumer.ts';
import { runLagging } from './lagging.ts';
import { rotate, untilRetired } from './operator.ts';
import { consumerNames, type Stage, startStage } from './stage.ts';
import { startLoad } from './steady-load.ts';
import type { Target } from './target.ts';

/** Over all three targets. */
const queriesPerSecond = 500;
const mostRotations = 20;
const leastRotations = 2;

export const run: Run = async (options) => {
  const stage = await startStage();
  try {
    const rates = sharesOf(queriesPerSecond, stage.targets.length);
    const rotated = await Promise.all(
      stage.targets.map((target, index) => underLoad(stage, target, rates[index] ?? 0, options)),
    );
    return [...rotated, await runLagging(stage, options)];
  } finally {
    await stage.close();
  }
};

/** One target: a load that never stops, and rotations one after the other, each to its very end. */
async function underLoad(
  stage: Stage,
  target: Target,
  perSecond: number,
  { quick, progress }: BenchOptions,
): Promise<BenchCase> {
  const tell = (line: string): void => progress(`${target.name}: ${line}`);
  const consumer = await startConsumer(stage, target, consumerNames.follows);
  const load = startLoad(consumer.query, perSecond);
  try {
    const rotated = await rotateOften(stage, target, quick ? leastRotations : mostRotations, tell);
    const { firstError, ...figures } = await load.stop();
    if (firstError !== undefined) tell(`the first error was: ${firstError}`);
    return { name: target.name, strategy: target.strategy, ...rotated, ...figures };
  } finally {
    await load.stop();
    await consumer.end();
    for (const problem of consumer.problems) tell(`the consumer was told: ${problem}`);
  }
}

async function rotateOften(stage: Stage, target: Target, rotations: number, tell: (line: string) => void) {
  let oldRefused = 0;
  let retiredByEvidence = 0;
  for (let done = 1; done <= rotations; done++) {
    const rotated = await rotate(stage, target.secret);
    await untilRetired(stage, target.secret, rotated);
    if (!(await target.accepts(rotated.oldValue))) oldRefused += 1;
    const { evidence } = await stage.log.said('retired', rotated.rotationId, 10_000);
    if (evidence === 'free') retiredByEvidence += 1;
    if (done % 5 === 0 || done === rotations) tell(`${done} of ${rotations} rotations`);
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
    const claims: readonly (readonly [holds: boolean, otherwise: string])[] = [
      [one['failedQueries'] === 0, `${one['failedQueries']} queries failed`],
      ...(one.name === 'lagging-consumer' ? laggingClaims(one) : rotationClaims(one)),
    ];
    return claims.flatMap(([holds, otherwise]) => (holds ? [] : [`${one.name}: ${otherwise}`]));
  });

type Claims = readonly (readonly [holds: boolean, otherwise: string])[];

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
