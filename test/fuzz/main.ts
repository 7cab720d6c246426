/**
 * `npm run fuzz -- [--runs N] [--seed S] [--only TARGET] [--path P] [--json]`: throws N inputs at everything that comes from outside. Prints
 * each target with its count and the seed; of a failure also the path and the shrunk input, and ends with 1. `--path` repeats one failure.
 */
import { parseArgs } from 'node:util';
import type { Fuzzed } from './target.ts';
import { inputsOf, targets } from './targets.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    only: { type: 'string' },
    path: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

interface Row extends Fuzzed {
  readonly target: string;
  readonly seconds: number;
}

function wholeNumber(name: string, text: string): number {
  if (/^-?\d{1,10}$/.test(text)) return Number(text);
  process.stderr.write(`--${name} takes a whole number\n`);
  process.exit(2);
}

function show({ target, inputs, seconds, failed }: Row, seed: number): void {
  process.stdout.write(
    `${target.padEnd(14)}${String(inputs).padStart(8)} inputs ${seconds.toFixed(1).padStart(7)} s\n`,
  );
  if (failed === undefined) return;
  const again = `npm run fuzz -- --only ${target} --seed ${seed} --path ${failed.path}`;
  process.stdout.write(
    `\n${target} failed: ${shortened(failed.why)}\n\ninput: ${shortened(failed.input)}\nseed: ${seed}\npath: ${failed.path}\nagain: ${again}\n\n`,
  );
}

/** The input comes back by its path; what is shown of it has to be read by a person. */
function shortened(text: string): string {
  return text.length <= 4_000 ? text : `${text.slice(0, 4_000)}… (${text.length} characters)`;
}

async function main(): Promise<void> {
  const runs = wholeNumber('runs', values.runs);
  const seed = wholeNumber('seed', values.seed ?? String(Math.trunc(Math.random() * 2 ** 31)));
  const chosen = targets.filter(({ name }) => values.only === undefined || values.only === name);
  if (chosen.length === 0 || runs < 1) {
    process.stderr.write(`--runs is at least 1, and --only one of ${targets.map(({ name }) => name).join(', ')}\n`);
    process.exit(2);
  }
  const { path } = values;
  const rows: Row[] = [];
  for (const one of chosen) {
    const begun = performance.now();
    const given = { runs: values.only === undefined ? inputsOf(one, runs) : runs, seed };
    const fuzzed = await one.fuzz({ ...given, ...(path === undefined ? {} : { path }) });
    const row = { target: one.name, ...fuzzed, seconds: (performance.now() - begun) / 1_000 };
    rows.push(row);
    if (!values.json) show(row, seed);
  }
  const inputs = rows.reduce((sum, row) => sum + row.inputs, 0);
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
  if (values.json) process.stdout.write(`${JSON.stringify({ seed, inputs, seconds, targets: rows }, null, 2)}\n`);
  else
    process.stdout.write(
      `${'in all'.padEnd(14)}${String(inputs).padStart(8)} inputs ${seconds.toFixed(1).padStart(7)} s, seed ${seed}\n`,
    );
  process.exitCode = rows.some(({ failed }) => failed !== undefined) ? 1 : 0;
}

await main();
