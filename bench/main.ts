/** `npm run bench -- NAME`: how Keyturn compares with doing the same by hand. See docs/performance.md. */
import { parseArgs } from 'node:util';
import { type Bench, BenchUsage } from './bench.ts';
import { benches } from './benches.ts';
import { tableOf } from './table.ts';

const usage = `npm run bench -- NAME [options]

${benches.map((bench) => `  ${bench.name.padEnd(14)} ${bench.about}`).join('\n')}

  --json    one JSON array on the standard output, an object for each case
  --quick   a few rounds, to see that it works: its figures mean nothing
  --help    this text

  rotation --target postgres|mariadb|redis|sql-server  (postgres; sql-server is the stand-in)
           --rtt MS                                    a round trip to the target takes so long (0)
           --strategy NAME                             one strategy instead of all

docs/performance.md says how to read the figures.`;

function readArguments() {
  const own = Object.fromEntries(
    benches.flatMap((bench) => bench.flags).map((flag) => [flag, { type: 'string' as const }]),
  );
  const options = {
    ...own,
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    const { json, quick, help, ...rest } = values;
    const flags = Object.fromEntries(
      Object.entries(rest).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : [])),
    );
    return { names: positionals, json: json === true, quick: quick === true, help: help === true, flags };
  } catch (error) {
    if (error instanceof TypeError) throw new BenchUsage(error.message);
    throw error;
  }
}

function chosen(names: readonly string[], flags: Readonly<Record<string, string>>): Bench {
  const known = benches.map((bench) => bench.name).join(', ');
  if (names.length > 1) throw new BenchUsage(`one bench at a time, not "${names.join(' ')}"; there are ${known}`);
  const bench = benches.find((one) => one.name === names[0]);
  if (bench === undefined) throw new BenchUsage(`there is no bench "${names[0]}"; there are ${known}`);
  for (const flag of Object.keys(flags)) {
    if (!bench.flags.includes(flag)) throw new BenchUsage(`${bench.name} has no option --${flag}`);
  }
  return bench;
}

async function main(): Promise<void> {
  const { names, json, quick, help, flags } = readArguments();
  if (help || names.length === 0) {
    console.log(usage);
    return;
  }
  const bench = chosen(names, flags);
  const progress = (line: string): void => console.error(`  ${bench.name}: ${line}`);
  const { run, broken } = await bench.load();
  const cases = await run({ quick, flags, progress });
  const problems = broken?.(cases) ?? [];
  for (const problem of problems) console.error(`  ${bench.name}: BROKEN: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  if (json) {
    console.log(JSON.stringify(cases));
    return;
  }
  console.log(`${bench.about}\n\n${tableOf(cases)}\n\nAim: ${bench.aim}`);
  if (quick) console.log('A quick run: these figures mean nothing.');
}

try {
  await main();
} catch (error) {
  if (!(error instanceof BenchUsage)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
