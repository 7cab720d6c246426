import type { Outcome } from './outcome.ts';
import { paint, short } from './story.ts';

const yes = (holds: boolean | undefined): string => (holds === undefined ? '-' : holds ? 'yes' : 'NO');

const columns: readonly (readonly [title: string, cell: (outcome: Outcome) => string])[] = [
  ['secret', ({ secret }) => secret],
  ['strategy', ({ strategy }) => strategy],
  ['outcome', ({ outcome }) => outcome],
  ['old', ({ oldVersion }) => short(oldVersion)],
  ['new', ({ newVersion }) => (newVersion === undefined ? '-' : short(newVersion))],
  ['old ended', ({ retiredBy }) => (retiredBy === undefined ? '-' : retiredBy === 'free' ? 'acknowledged' : retiredBy)],
  ['old refused', ({ oldRefused }) => yes(oldRefused)],
  ['new accepted', ({ newAccepted }) => yes(newAccepted)],
  ['calls', ({ calls }) => String(calls.made)],
  ['failed', ({ calls }) => String(calls.failed)],
];

/** The table at the end, what took how long, and what failed with its next step. */
export function printReport(outcomes: readonly Outcome[], ofOthers: readonly string[]): void {
  const rows = [
    columns.map(([title]) => title),
    ...outcomes.map((outcome) => columns.map(([, cell]) => cell(outcome))),
  ];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  for (const [index, row] of rows.entries()) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    console.log(index === 0 ? paint('bold', line) : line);
  }
  console.log(`\n${paint('bold', 'time of each step, in ms')}`);
  for (const { secret, steps } of outcomes) {
    const times = steps.map(({ name, ms }) => `${name} ${ms.toFixed(0)}`).join(', ');
    if (steps.length > 0) console.log(`  ${secret.padEnd(16)} ${times}`);
  }
  for (const { secret, failure } of outcomes) {
    if (failure === undefined) continue;
    console.log(`\n${paint('bold', `${secret} was not rotated, as it should be: its admin is refused`)}`);
    console.log(`  ${paint('red', failure.code)}  ${failure.message}\n  ${paint('yellow', 'next')}  ${failure.hint}`);
  }
  const ofSecrets = outcomes.flatMap((outcome) => outcome.broken.map((promise) => `${outcome.secret}: ${promise}`));
  const broken = [...ofSecrets, ...ofOthers];
  console.log(
    broken.length === 0
      ? `\n${paint('green', 'Every promise was kept.')}`
      : `\n${paint('red', 'Broken promises:')}\n${broken.map((promise) => `  ${promise}`).join('\n')}`,
  );
}
