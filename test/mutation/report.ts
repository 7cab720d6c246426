/** What a run of mutants says. */
import type { Tried } from './trial.ts';

const sign = (sign: string, text: string) =>
  text
    .split('\n')
    .map((line) => `${sign} ${line}`)
    .join('\n');

/** One line while the run goes on. */
export function lineOf({ trial, outcome, seconds }: Tried): string {
  const by = outcome.kind === 'killed' ? ` by ${outcome.by}` : '';
  return `${outcome.kind.padEnd(8)} ${`${seconds} s`.padStart(7)}  ${trial.file}:${trial.line} ${trial.about}${by}`;
}

/** Everything that was not killed with its source, then the counts. */
export function summaryOf(seed: string, tried: readonly Tried[]): string {
  const left = tried.filter(({ outcome }) => outcome.kind !== 'killed');
  const parts = left.map(({ trial, outcome }) => {
    const tests = trial.tests.length === 0 ? 'no test loads this file' : `asked: ${trial.tests.join(', ')}`;
    const said = outcome.kind === 'broken' ? `\n${outcome.said.slice(-2_000)}` : '';
    const head = `${outcome.kind}: ${trial.file}:${trial.line} ${trial.about}`;
    return `${head}\n${sign('-', trial.before)}\n${sign('+', trial.after)}\n  ${tests}${said}\n`;
  });
  const count = (kind: string) => tried.filter(({ outcome }) => outcome.kind === kind).length;
  const counts = `${count('killed')} killed, ${count('survived')} survived, ${count('broken')} without a verdict`;
  return [...parts, `${counts} (seed ${seed})`].join('\n');
}

/** The same for machines. */
export function asJson(seed: string, tried: readonly Tried[]): string {
  const mutants = tried.map(({ trial, outcome, seconds }) => {
    const { file, line, about, before, after } = trial;
    return { file, line, about, before, after, ...outcome, seconds };
  });
  return JSON.stringify({ seed, mutants }, null, 2);
}
