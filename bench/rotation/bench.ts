import { type Strategy, strategies, strategyTraits } from '../../shared/contract/strategy.ts';
import { type BenchCase, type BenchOptions, BenchUsage, type Run } from '../bench.ts';
import { measureTurns, rounded } from '../pairs.ts';
import { watchDrivers } from './drivers.ts';
import { type Counted, type Players, startPlayers } from './players.ts';
import { type Stage, startStage } from './stage.ts';
import { targets } from './targets/index.ts';
import { watchStorage } from './watch.ts';

/** What cannot be left out without giving up a promise: docs/performance.md names each of them. */
const leastTargetConnections = 3;

const aims = { ratio: 1.05, leastScriptRatio: 3 } as const;

/** Round trip from which the second aim counts, in ms: nearer, the least script is over before anything is worth a proof. */
const farMs = 20;

export const run: Run = async (options) => {
  const asked = readFlags(options);
  watchDrivers();
  const stage = await startStage(asked);
  try {
    const chosen = asked.strategy === undefined ? stage.target.strategies : [asked.strategy];
    const unable = chosen.find((strategy) => !stage.target.strategies.includes(strategy));
    if (unable !== undefined) {
      const able = stage.target.strategies.join(', ');
      throw new BenchUsage(`${stage.target.name} cannot do ${unable}; it can do ${able}`);
    }
    const storage = watchStorage(stage.storage);
    const cases: BenchCase[] = [];
    for (const strategy of chosen) cases.push(await measure(stage, strategy, asked.rttMs, storage, options));
    return cases;
  } finally {
    await stage.close();
  }
};

function readFlags({ flags }: BenchOptions) {
  const name = flags['target'] ?? 'postgres';
  const start = targets[name];
  if (start === undefined) {
    throw new BenchUsage(`there is no target "${name}"; there are ${Object.keys(targets).join(', ')}`);
  }
  const rtt = flags['rtt'] ?? '0';
  const rttMs = Number(rtt);
  if (!/^\d+$/.test(rtt) || rttMs > 1_000) throw new BenchUsage(`--rtt takes ms from 0 to 1000, not "${rtt}"`);
  const strategy = strategies.find((one) => one === flags['strategy']);
  if (strategy === undefined && flags['strategy'] !== undefined) {
    throw new BenchUsage(`there is no strategy "${flags['strategy']}"`);
  }
  return { start, rttMs, strategy };
}

async function measure(
  stage: Stage,
  strategy: Strategy,
  rttMs: number,
  storage: { readonly total: number },
  { quick, progress }: BenchOptions,
): Promise<BenchCase> {
  const pairs = quick ? 2 : rttMs > 0 ? 40 : 150;
  const warmUp = quick ? 1 : 8;
  const players = await startPlayers(stage, strategy, storage, warmUp + pairs);
  const { engine, straight, least } = players;
  const [engineMs = 0, straightMs = 0, leastMs = 0] = await measureTurns([engine, straight, least], {
    warmUp,
    pairs,
    progress: (line) => progress(`${strategy}: ${line}`),
  });
  return {
    name: strategy,
    target: stage.target.name,
    rttMs,
    ratio: rounded(engineMs / straightMs, 3),
    ratioAim: aims.ratio,
    leastScriptRatio: rounded(engineMs / leastMs, 2),
    ...(rttMs < farMs ? {} : { leastScriptRatioAim: aims.leastScriptRatio }),
    engineMs: rounded(engineMs, 1),
    straightMs: rounded(straightMs, 1),
    leastScriptMs: rounded(leastMs, 1),
    ...countsOf(await players.count(), strategy),
  };
}

function countsOf(
  { engine, straight, least }: Awaited<ReturnType<Players['count']>>,
  strategy: Strategy,
): Readonly<Record<string, number>> {
  return {
    vaultCalls: engine.vaultCalls,
    leastVaultCalls: strategyTraits[strategy].pending === 'never' ? 4 : 7,
    targetConnections: engine.connections,
    leastTargetConnections,
    statements: engine.statements,
    storageCalls: engine.storageCalls,
    ...named('straight', straight),
    ...named('leastScript', least),
  };
}

/** What the scripts did. The engine's own figures have no word before them. */
function named(who: 'straight' | 'leastScript', { vaultCalls, connections, statements, storageCalls }: Counted) {
  return {
    [`${who}VaultCalls`]: vaultCalls,
    [`${who}Connections`]: connections,
    [`${who}Statements`]: statements,
    [`${who}StorageCalls`]: storageCalls,
  };
}
