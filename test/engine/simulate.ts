/**
 * `npm run simulate -- --seed S --runs N`: random histories of one secret, with every promise looked at after every effect. Ends with 1
 * where a promise was broken, and prints the shortest history of that seed that breaks it.
 */
import { parseArgs } from 'node:util';
import { type Strategy, strategies } from '../../shared/contract/strategy.ts';
import { type Broken, type Played, playHistories } from './histories.ts';

const usage = `npm run simulate -- [options]

  --seed S       where the histories begin; the same seed gives the same histories (default: by the clock)
  --runs N       how many (default 1000)
  --strategy X   ${strategies.join(', ')} (default: all in turn)
  --json         one JSON object on the standard output
  --help         this text`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string', default: '1000' },
    strategy: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number, not "${text}".`);
}

function strategyOf(text: string): Strategy {
  const strategy = strategies.find((one) => one === text);
  if (strategy === undefined) throw new Error(`--strategy takes one of ${strategies.join(', ')}, not "${text}".`);
  return strategy;
}

function told(seed: number, played: Played, seconds: number): string {
  const { histories, versions, crashes, emergencies, rollBacks, retirements, byHand, intruders } = played;
  const { lostAnswers, outages, lostStorage, healed, longestHealMs, broken } = played;
  return [
    `${histories} histories from seed ${seed} in ${seconds.toFixed(1)} s`,
    `  ${versions} versions, ${emergencies} emergencies, ${rollBacks} roll-backs, ${retirements} retirements asked for`,
    `  ${crashes} crashes, ${lostAnswers} lost answers, ${outages} outages, ${lostStorage} lost storage accounts`,
    `  ${byHand} versions of somebody else, ${intruders} sessions of intruders`,
    `  ${healed} half-done changes healed without a fault in between, the slowest after ${longestHealMs / 1000} s`,
    ...broken.map(toldBroken),
    `${histories} histories, ${broken.length} broke a promise`,
  ].join('\n');
}

function toldBroken({ seed, strategy, actions, what, trail }: Broken): string {
  const again = `npm run simulate -- --seed ${seed} --runs 1 --strategy ${strategy}`;
  return `\nSeed ${seed} (${strategy}), ${actions} actions: ${what}\n  ${trail.join('\n  ')}\nPlay it again: ${again}\n`;
}

if (values.help) {
  console.log(usage);
} else {
  const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : whole('seed', values.seed);
  const strategy = values.strategy === undefined ? {} : { strategy: strategyOf(values.strategy) };
  const startedMs = performance.now();
  const played = await playHistories({ seed, runs: whole('runs', values.runs), ...strategy });
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(values.json ? JSON.stringify({ seed, seconds, ...played }) : told(seed, played, seconds));
  if (played.broken.length > 0) process.exitCode = 1;
}
