/** One change of the project, and what became of it. */
import type { Changed, Lane, Outcome } from './lane.ts';
import type { Mutant } from './mutants.ts';

export interface Trial extends Changed {
  readonly line: number;
  readonly about: string;
  /** Lines of the file before and after. */
  readonly before: string;
  readonly after: string;
  /** In the order in which they are asked. */
  readonly tests: readonly string[];
  /** Whether a test must notice it, and not only the compiler. */
  readonly byTests: boolean;
}

export interface Tried {
  readonly trial: Trial;
  readonly outcome: Outcome;
  readonly seconds: number;
}

/** A trial of the file's text with one range replaced. */
export function trialOf(
  { file, start, end, replacement }: Pick<Mutant, 'file' | 'start' | 'end' | 'replacement'>,
  about: string,
  text: string,
  tests: readonly string[],
): Trial {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = text.indexOf('\n', end);
  const to = lineEnd < 0 ? text.length : lineEnd;
  return {
    file,
    text: text.slice(0, start) + replacement + text.slice(end),
    line: text.slice(0, start).split('\n').length,
    about,
    before: text.slice(from, to),
    after: text.slice(from, start) + replacement + text.slice(end, to),
    tests,
    byTests: false,
  };
}

/** Whether test files pass when nothing was changed, found out once for each, when it is first said to have noticed something. */
class Unchanged {
  readonly #passing = new Map<string, Promise<boolean>>();

  passes(lane: Lane, test: string): Promise<boolean> {
    const known = this.#passing.get(test) ?? lane.try(undefined, [test]).then(({ kind }) => kind === 'survived');
    this.#passing.set(test, known);
    return known;
  }
}

/** What noticed the last change of a file is asked first about the next one. */
class LastKillers {
  readonly #tests = new Map<string, string>();

  order({ file, tests }: Trial): readonly string[] {
    const last = this.#tests.get(file);
    return last === undefined ? tests : [last, ...tests.filter((test) => test !== last)];
  }

  note({ file }: Trial, outcome: Outcome): void {
    if (outcome.kind === 'killed' && outcome.test !== undefined) this.#tests.set(file, outcome.test);
  }
}

interface Known {
  readonly unchanged: Unchanged;
  readonly killers: LastKillers;
}

async function tryOne(lane: Lane, trial: Trial, { unchanged, killers }: Known): Promise<Outcome> {
  const outcome = await lane.try(trial, killers.order(trial));
  killers.note(trial, outcome);
  if (outcome.kind === 'killed' && outcome.test !== undefined && !(await unchanged.passes(lane, outcome.test))) {
    return { kind: 'broken', said: `${outcome.test} fails without any change` };
  }
  if (outcome.kind !== 'survived' || trial.byTests) return outcome;
  // Types are a test too, asked last because everything has to be read for it.
  return (await lane.compiles(trial)) ? outcome : { kind: 'killed', by: 'the compiler' };
}

/** Tries all of them, as many at once as there are lanes, and calls `tell` after each. The result is in the order of the trials. */
export async function tryAll(
  lanes: readonly Lane[],
  trials: readonly Trial[],
  tell: (tried: Tried, done: number) => void,
  goesOn: () => boolean = () => true,
): Promise<readonly Tried[]> {
  const results = new Map<Trial, Tried>();
  const known: Known = { unchanged: new Unchanged(), killers: new LastKillers() };
  const waiting = [...trials];
  const work = async (lane: Lane): Promise<void> => {
    for (let trial = waiting.shift(); trial !== undefined; trial = goesOn() ? waiting.shift() : undefined) {
      const startedMs = performance.now();
      const outcome = await tryOne(lane, trial, known);
      const tried = { trial, outcome, seconds: Math.round((performance.now() - startedMs) / 100) / 10 };
      results.set(trial, tried);
      tell(tried, results.size);
    }
  };
  await Promise.all(lanes.map(work));
  return trials.flatMap((trial) => results.get(trial) ?? []);
}
