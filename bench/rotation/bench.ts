import { rotate } from '../../shared/engine/rotation/rotate.ts';
import type { BenchCase, BenchOptions, Run } from '../bench.ts';
import { measurePairs, rounded, timed } from '../pairs.ts';
import { costOf } from './count.ts';
import { type BenchStrategy, type Stage, startStage } from './stage.ts';
import { straightScript } from './straight.ts';

/** What cannot be left out without giving up a promise: docs/performance.md names each of them. */
const least = {
  'alternating-users': { leastVaultCalls: 4, leastTargetConnections: 3 },
  'single-user': { leastVaultCalls: 7, leastTargetConnections: 3 },
} as const satisfies Record<BenchStrategy, Readonly<Record<string, number>>>;

const strategies: readonly BenchStrategy[] = ['alternating-users', 'single-user'];

export const run: Run = async (options) => {
  const stage = await startStage();
  try {
    const cases: BenchCase[] = [];
    for (const strategy of strategies) cases.push(await measure(stage, strategy, options));
    return cases;
  } finally {
    await stage.close();
  }
};

async function measure(stage: Stage, strategy: BenchStrategy, { quick, progress }: BenchOptions): Promise<BenchCase> {
  const warmUp = quick ? 1 : 8;
  const pairs = quick ? 2 : 150;
  const counted = quick ? 1 : 5;
  const ours = await secretsFor(stage, strategy, 'engine', warmUp + pairs + counted);
  const theirs = await secretsFor(stage, strategy, 'script', warmUp + pairs);

  const script = straightScript(stage);
  const measured = await measurePairs(
    () => byEngine(stage, ours()),
    () => timed(() => script(theirs(), strategy)),
    { warmUp, pairs, progress: (line) => progress(`${strategy}: ${line}`) },
  );
  const cost = await costOf(stage, counted, () => byEngine(stage, ours()));
  return {
    name: strategy,
    ratio: rounded(measured.ratio, 3),
    engineMs: rounded(measured.firstMs, 1),
    scriptMs: rounded(measured.secondMs, 1),
    vaultCalls: cost.vaultCalls,
    leastVaultCalls: least[strategy].leastVaultCalls,
    targetConnections: cost.targetConnections,
    leastTargetConnections: least[strategy].leastTargetConnections,
  };
}

/** The vault lists 25 versions in a call, more than a secret has after five years of 90 days; so many are never listed here. */
const mostRotations = 20;

/** Secrets in turn for so many rotations. */
async function secretsFor(
  stage: Stage,
  strategy: BenchStrategy,
  by: 'engine' | 'script',
  rotations: number,
): Promise<() => string> {
  const short = strategy === 'single-user' ? 'single' : 'pair';
  const names: string[] = [];
  for (let at = 0; at * mostRotations < rotations; at++) {
    const secret = `${short}-by-${by}-${at}`;
    await stage.addSecret(secret, `${short}_${by}_${at}`, strategy);
    // Twice, so that both logins of a pair are there: making one is a rotation of another kind.
    await byEngine(stage, secret);
    await byEngine(stage, secret);
    names.push(secret);
  }
  let next = 0;
  return () => names[Math.floor(next++ / mostRotations)] ?? '';
}

/** Time in ms of one rotation. Anything but a rotated secret ends the bench. */
async function byEngine(stage: Stage, secret: string): Promise<number> {
  // Past the overlap of the rotation before, or this one would have to wait for it.
  stage.vault.clock.advance(3_000);
  // Named by its version, as an event does: a request that names none looks back through the versions for its own work.
  const version = stage.vault.versions(secret).at(-1)?.id ?? '';
  const started = performance.now();
  const result = await rotate(stage.engine, { vault: 'bench', secret, version, mode: 'asked', requestedBy: 'bench' });
  const ms = performance.now() - started;
  if (result.kind === 'rotated') return ms;
  const why = result.kind === 'failed' ? result.failure.message : `${result.reason}: ${result.detail}`;
  throw new Error(`${secret} was not rotated: ${why}`);
}
