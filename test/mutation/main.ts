/** `npm run mutate`: puts faults into the engine and the rotators, one at a time, and sees whether a test notices. See docs/mutation.md. */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { projectFiles } from '../tidy/files.ts';
import { isEquivalent } from './equivalent.ts';
import { openLane } from './lane.ts';
import { mutantsOf } from './mutants.ts';
import { findNamed } from './named.ts';
import { importGraph, relatedTests } from './related.ts';
import { asJson, lineOf, summaryOf } from './report.ts';
import { sampleOf } from './sample.ts';
import { type Trial, trialOf, tryAll } from './trial.ts';

const usage = `npm run mutate -- [options]

Tries the named faults, and a sample of the small changes that can be made to the engine and the rotators. Ends with 1 when a change
survives that test/mutation/equivalent.ts has no reason for.

  --sample N     how many changes (40); 0 for the named faults alone
  --seed S       which of them; the same for the same seed. Absent: another seed each time, printed
  --only PATH    only in files whose path begins like this; --sample all for each of them
  --lanes N      how many at once
  --minutes N    begins none after that time, and says how many it left; absent: all of them
  --json         one JSON document on the standard output`;

class Usage extends Error {}

interface Options {
  readonly seed: string;
  readonly size: number;
  readonly only: string;
  readonly lanes: number;
  readonly minutes: number;
  readonly json: boolean;
}

function numberOf(text: string, option: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new Usage(`--${option} takes a number, not "${text}"`);
  return Number(text);
}

function readOptions(): Options | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { seed: text, sample: text, only: text, lanes: text, minutes: text, json: flag, help: flag };
  try {
    const { values } = parseArgs({ options });
    if (values.help) return 'help';
    return {
      seed: values.seed ?? String(randomInt(1_000_000)),
      size: values.sample === 'all' ? Number.POSITIVE_INFINITY : numberOf(values.sample ?? '40', 'sample'),
      only: values.only ?? '',
      lanes: Math.max(1, numberOf(values.lanes ?? String(Math.min(2, availableParallelism())), 'lanes')),
      minutes: values.minutes === undefined ? Number.POSITIVE_INFINITY : numberOf(values.minutes, 'minutes'),
      json: values.json,
    };
  } catch (error) {
    if (error instanceof TypeError) throw new Usage(error.message);
    throw error;
  }
}

const mutated = /^(shared\/(engine|operations)|rotators)\/.*\.ts$/;

function trialsOf({ seed, size, only }: Options): readonly Trial[] {
  const texts = new Map(projectFiles().map(({ path, text }) => [path, text]));
  const textOf = (file: string) => texts.get(file) ?? '';
  const related = relatedTests(importGraph());
  const testsOf = (file: string) => related(file).map(({ test }) => test);
  const faults = findNamed(texts)
    .filter(({ file }) => file.startsWith(only))
    .map((fault) => ({ ...trialOf(fault, fault.name, textOf(fault.file), testsOf(fault.file)), byTests: true }));
  const mutants = [...texts]
    .filter(([path]) => mutated.test(path) && path.startsWith(only))
    .flatMap(([path, text]) => mutantsOf(path, text))
    .filter((mutant) => !isEquivalent(mutant));
  const sample = sampleOf(mutants, seed, size).map((mutant) =>
    trialOf(
      mutant,
      `${mutant.change}${mutant.within === '' ? '' : ` in ${mutant.within}`}`,
      textOf(mutant.file),
      testsOf(mutant.file),
    ),
  );
  return [...faults, ...sample];
}

async function run(options: Options): Promise<number> {
  const trials = trialsOf(options);
  process.stderr.write(`seed ${options.seed}: ${trials.length} changes, each on a copy of the project\n`);
  const lanes = await Promise.all(Array.from({ length: options.lanes }, () => openLane()));
  try {
    const endMs = performance.now() + options.minutes * 60_000;
    const tried = await tryAll(
      lanes,
      trials,
      (one, done) => process.stderr.write(`${done}/${trials.length} ${lineOf(one)}\n`),
      () => performance.now() < endMs,
    );
    const left = trials.length - tried.length;
    if (left > 0) process.stderr.write(`${left} not begun in ${options.minutes} minutes\n`);
    console.log(options.json ? asJson(options.seed, tried) : summaryOf(options.seed, tried));
    return tried.every(({ outcome }) => outcome.kind === 'killed') ? 0 : 1;
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}

/** Copies are removed, and what runs in them is ended, when the process exits; a signal alone would end it without that. */
function exitOnSignals(): void {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}

async function main(): Promise<number> {
  exitOnSignals();
  try {
    const options = readOptions();
    if (options !== 'help') return await run(options);
    console.log(usage);
    return 0;
  } catch (error) {
    if (!(error instanceof Usage)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
}

if (import.meta.main) process.exitCode = await main();
