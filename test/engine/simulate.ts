/**
 * `npm run simulate -- --seed S --runs N`: random histories of one secret, with every promise looked at after every effect. Ends with 1
 * where a promise was broken, and prints the shortest history of that seed that breaks it.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { strategies } from '../../shared/contract/strategy.ts';
import { type Broken, type Played, worlds } from './histories.ts';
import { playOnThreads } from './history-threads.ts';

const usage = `npm run simulate -- [options]

  --seed S       where the histories begin; the same seed gives the same histories (default: by the clock)
  --runs N       how many (default 1000)
  --months M     how long each goes on at least, by the simulated clock (default: as long as its actions take, days to months)
  --world X      ${worlds.join(' or ')}: with or without other writers, copies that they overwrite and a second secret of the login
                 (default: every fourth with them)
  --strategy X   ${strategies.join(', ')} (default: all in turn)
  --threads N    how many histories are played at once (default: one for each processor); the output is the same
  --json         one JSON object on the standard output
  --help         this text`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string', default: '1000' },
    months: { type: 'string', default: '0' },
    world: { type: 'string' },
    strategy: { type: 'string' },
    threads: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number, not "${text}".`);
}

function oneOf<Name extends string>(
  option: string,
  names: readonly Name[],
  text: string | undefined,
): Name | undefined {
  if (text === undefined) return undefined;
  const found = names.find((one) => one === text);
  if (found === undefined) throw new Error(`--${option} takes one of ${names.join(', ')}, not "${text}".`);
  return found;
}

function told(seed: number, played: Played, seconds: number): string {
  const { histories, versions, crashes, emergencies, rollBacks, retirements, byHand, intruders } = played;
  const { lostAnswers, outages, lostStorage, healed, longestHealMs, broken } = played;
  const { writtenByOthers, told: drifted, adopted, shared } = played;
  return [
    `${histories} histories from seed ${seed} in ${seconds.toFixed(1)} s`,
    `  ${versions} versions, ${emergencies} emergencies, ${rollBacks} roll-backs, ${retirements} retirements asked for`,
    `  ${crashes} crashes, ${lostAnswers} lost answers, ${outages} outages, ${lostStorage} lost storage accounts`,
    `  ${byHand} versions of somebody else, ${intruders} sessions of intruders`,
    `  ${writtenByOthers} versions of other writers: ${adopted} adopted, ${drifted} told as drifted; ${shared} second secrets of a login`,
    `  ${healed} half-done changes healed without a fault in between, the slowest after ${longestHealMs / 1000} s`,
    ...broken.map(toldBroken),
    `${histories} histories, ${broken.length} broke a promise`,
  ].join('\n');
}

function toldBroken({ seed, world, strategy, actions, what, trail }: Broken): string {
  const months = values.months === '0' ? '' : ` --months ${values.months}`;
  const again = `npm run simulate -- --seed ${seed} --runs 1 --world ${world} --strategy ${strategy}${months}`;
  return `\nSeed ${seed} (${world}, ${strategy}), ${actions} actions: ${what}\n  ${trail.join('\n  ')}\nPlay it again: ${again}\n`;
}

if (values.help) {
  console.log(usage);
} else {
  const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : whole('seed', values.seed);
  const threads = values.threads === undefined ? availableParallelism() : whole('threads', values.threads);
  const plan = {
    seed,
    runs: whole('runs', values.runs),
    months: whole('months', values.months),
    strategy: oneOf('strategy', strategies, values.strategy),
    world: oneOf('world', worlds, values.world),
  };
  const startedMs = performance.now();
  const played = await playOnThreads(plan, threads);
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(values.json ? JSON.stringify({ seed, seconds, ...played }) : told(seed, played, seconds));
  if (played.broken.length > 0) process.exitCode = 1;
}
