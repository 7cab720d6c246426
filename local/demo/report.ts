/** The end of the demo: what came of each secret, what failed and why, what was not shown, and what to try next. */

import { hanging, paint, columns as terminalColumns, wrapped } from '../lines.ts';
import { short } from '../log-words.ts';
import { type LeftOut, namesOf } from './left-out.ts';
import type { Outcome } from './outcome.ts';

export interface Report {
  readonly outcomes: readonly Outcome[];
  /** Promises that were broken where others wrote to the vault, in words. */
  readonly ofOthers: readonly string[];
  readonly leftOut: LeftOut;
  /** The time of each step too. */
  readonly steps: boolean;
}

const yes = (holds: boolean | undefined, word: string): string => (holds === undefined ? '-' : holds ? word : 'NO');
const ends: ReadonlyMap<string | undefined, string> = new Map([['free', 'early']]);

const columns: readonly (readonly [title: string, cell: (outcome: Outcome) => string])[] = [
  ['secret', ({ secret }) => secret],
  ['outcome', ({ outcome }) => outcome],
  ['version', ({ newVersion }) => (newVersion === undefined ? '-' : short(newVersion))],
  ['new key', ({ newAccepted }) => yes(newAccepted, 'works')],
  ['old key', ({ oldRefused }) => yes(oldRefused, 'refused')],
  ['ended', ({ retiredBy }) => ends.get(retiredBy) ?? retiredBy ?? '-'],
  ['calls', ({ calls }) => String(calls.made)],
  ['failed', ({ calls }) => String(calls.failed)],
];

const next: readonly (readonly [command: string, what: string])[] = [
  ['npm start', 'the same stack, running until you end it: list, rotate and put secrets'],
  ['docs/quickstart.md', 'from here to a rotated secret of your own, locally and on Azure'],
  ['docs/rotators/', 'what each kind of target needs, and what its clients notice'],
  ['npm run demo -- --steps', 'every step of each rotation, with its time'],
];

export function printReport(report: Report): void {
  for (const line of reportLines(report)) console.log(line);
}

export function reportLines({ outcomes, ofOthers, leftOut, steps }: Report): readonly string[] {
  return [
    '',
    ...table(outcomes),
    ...(steps ? times(outcomes) : []),
    ...outcomes.flatMap(failedCalls),
    ...outcomes.flatMap(failure),
    '',
    ...verdict(outcomes, ofOthers, leftOut),
    ...['', paint('bold', 'Next')],
    ...next.flatMap(([command, what]) => hanging(`  ${command.padEnd(25)}`, what)),
  ];
}

function table(outcomes: readonly Outcome[]): readonly string[] {
  const rows = [
    columns.map(([title]) => title),
    ...outcomes.map((outcome) => columns.map(([, cell]) => cell(outcome))),
  ];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row, index) => {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
    return index === 0 ? paint('bold', line) : line;
  });
}

function times(outcomes: readonly Outcome[]): readonly string[] {
  const lines = outcomes.flatMap(({ secret, steps }) =>
    steps.length === 0
      ? []
      : hanging(`  ${secret.padEnd(16)}`, steps.map(({ name, ms }) => `${name} ${ms.toFixed(0)}`).join(', ')),
  );
  return ['', paint('bold', 'Time of each step, in ms'), ...lines];
}

/** Why calls failed where that is no broken promise. */
function failedCalls({ secret, calls, noticed }: Outcome): readonly string[] {
  if (!noticed || calls.failed === 0) return [];
  const count = calls.failed === 1 ? '1 call' : `${calls.failed} calls`;
  return [
    '',
    paint('bold', `Why ${count} of ${secret} failed`),
    ...hanging(
      '  ',
      'It is rotated with single-user: one login, whose password is replaced in place. From that moment until its client has read ' +
        'the new version, the server refuses the old password. Clients of alternating-users, such as orders-db, see no such moment.',
    ),
  ];
}

function failure({ secret, failure: failed }: Outcome): readonly string[] {
  if (failed === undefined) return [];
  const [code, after] = [`  ${failed.code}  `, '  next  '];
  return [
    '',
    paint('bold', `${secret} was not rotated, as it should be: its admin is refused`),
    ...hanging(code, failed.message).map((line) => line.replace(failed.code, paint('red', failed.code))),
    ...hanging(after, failed.hint).map((line, index) =>
      index === 0 ? line.replace('next', paint('yellow', 'next')) : line,
    ),
  ];
}

function verdict(outcomes: readonly Outcome[], ofOthers: readonly string[], leftOut: LeftOut): readonly string[] {
  const ofSecrets = outcomes.flatMap((outcome) => outcome.broken.map((promise) => `${outcome.secret}: ${promise}`));
  const broken = [...ofSecrets, ...ofOthers];
  if (broken.length > 0)
    return [paint('red', 'Broken promises:'), ...broken.flatMap((promise) => hanging('  ', promise))];
  if (leftOut.command === '') return [paint('green', 'Every promise was kept.')];
  const shown = `${outcomes.length} of ${outcomes.length + leftOut.scenes.length} secrets`;
  return [
    ...wrapped(
      `Every promise was kept for the ${shown} that this machine can show. Not shown: ${namesOf(leftOut)}. To see them too:`,
      terminalColumns,
    ).map((line) => paint('green', line)),
    `  ${leftOut.command}`,
  ];
}
