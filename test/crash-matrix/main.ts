/**
 * `npm run crash-matrix -- [options]`: kills a worker process before and after every side effect of every kind of work, and judges what
 * another one makes of it. Ends with 1 where a point did not recover. See docs/crash-matrix.md.
 */

import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { runInMemory } from './in-memory.ts';
import { keyTargets } from './keys.ts';
import { playRealTimes } from './real-times.ts';
import { lastLine, page, printed, type Report, recovered } from './report.ts';
import { type Choice, runMatrix } from './run.ts';
import { servers } from './servers.ts';
import { works } from './work.ts';

const targets = [...servers, ...keyTargets];

const usage = `npm run crash-matrix -- [options]

  --only X       TARGET, TARGET/STRATEGY or TARGET/STRATEGY/WORK
                 targets: ${targets.map(({ name }) => name).join(', ')}
                 work: ${works.map(({ name }) => name).join(', ')}
  --sample N     N points instead of all
  --seed S       which ones (default 1)
  --real-times   the points with the platform's own lock times, too; they are part of a whole run, which takes two minutes more for them
  --memory       the matrix in memory, with every pair of crashes
  --json         one JSON object on the standard output
  --write        writes docs/crash-matrix.md
  --help         this text`;

class Usage extends Error {}

function readOptions() {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  const own = {
    only: text,
    sample: text,
    seed: text,
    'real-times': flag,
    memory: flag,
    json: flag,
    write: flag,
    help: flag,
  };
  try {
    return parseArgs({ options: own }).values;
  } catch (error) {
    if (error instanceof TypeError) throw new Usage(error.message);
    throw error;
  }
}

type Options = ReturnType<typeof readOptions>;

function whole(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Usage(`--${name} takes a whole number, not "${text}".`);
}

function choiceOf({ only, sample, seed }: Options): Choice {
  const [target, strategy, work, ...more] = only?.split('/') ?? [];
  const chosen = targets.filter(({ name }) => target === undefined || name === target);
  const fits = chosen.some(
    ({ strategies }) =>
      (strategy === undefined || strategies.some((one) => one === strategy)) &&
      (work === undefined ||
        works.some(({ name, of }) => name === work && strategies.some((one) => one === strategy && of(one)))),
  );
  if (!fits || more.length > 0) throw new Usage(`There is no "${only}" in the matrix.`);
  const count = sample === undefined ? undefined : whole('sample', sample);
  return {
    ...{ targets: chosen, strategy, work },
    sample: count === undefined ? undefined : { count, seed: whole('seed', seed ?? '1') },
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) return console.log(usage);
  if (options.memory) return runInMemory(options.json);
  const choice = choiceOf(options);
  const there = choice.targets.filter(({ isThere }) => isThere?.() ?? true);
  const leftOut = choice.targets.filter((one) => !there.includes(one)).map(({ name }) => name);
  if (there.length === 0) throw new Usage(`The server of ${leftOut.join(', ')} is not installed.`);
  const startedMs = performance.now();
  const isWhole = options.only === undefined && options.sample === undefined;
  const tell = (line: string): void => void (options.json || console.error(`  ${line}`));
  const [{ played: points, notReached }, realTimes] = await Promise.all([
    runMatrix({ ...choice, targets: there }, tell),
    isWhole || options['real-times'] ? playRealTimes(tell) : [],
  ]);
  const seconds = (performance.now() - startedMs) / 1_000;
  const report: Report = { points, notReached, realTimes, leftOut, seconds };
  console.log(options.json ? JSON.stringify({ ...report, summary: lastLine(report) }) : printed(report));
  if (options.write)
    await writeFile(
      new URL('../../docs/crash-matrix.md', import.meta.url),
      page(report, machine(), chosenText(options)),
    );
  if (![...points, ...realTimes].every(recovered)) process.exitCode = 1;
}

/** What of the matrix was run, for the page. */
function chosenText({ only, sample, seed = '1' }: Options): string {
  const of = only === undefined ? 'the whole matrix' : `\`${only}\``;
  return sample === undefined
    ? `It was ${of}.`
    : `It was a sample of ${sample} points of ${of}, with the seed ${seed}.`;
}

function machine(): string {
  const count = availableParallelism();
  const load = (loadavg()[1] ?? 0).toFixed(0);
  return `${count} ${count === 1 ? 'processor' : 'processors'} with Node ${process.versions.node}, under a load of ${load}`;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Usage)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
