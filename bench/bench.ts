/** What a bench is: it prepares real servers, measures, and gives figures that are ratios of two things done in the same run. */

export interface BenchOptions {
  /** A run that shows that the bench works, and whose figures mean nothing: a few rounds of little. */
  readonly quick: boolean;
  /** Options of one bench, as they were written. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** Tells people how far it is; never on the standard output, which belongs to the figures. */
  readonly progress: (line: string) => void;
}

/** One line of a table. Units end the names of figures. */
export interface BenchCase {
  readonly name: string;
  readonly [figure: string]: string | number | boolean;
}

/** What is said of a bench without loading the servers it needs. */
export interface Bench {
  readonly name: string;
  /** One line: what is compared with what. */
  readonly about: string;
  /** What the figures should be, in words, printed under the table. */
  readonly aim: string;
  /** Names of the options it takes, besides those of all benches. */
  readonly flags: readonly string[];
  readonly load: () => Promise<{ readonly run: Run; readonly broken?: Broken }>;
}

/** What a bench that holds a promise finds broken in its cases, in words. Anything at all makes the exit code 1. */
export type Broken = (cases: readonly BenchCase[]) => readonly string[];

export type Run = (options: BenchOptions) => Promise<readonly BenchCase[]>;

/** An option that the bench cannot work with: the message says what is allowed. */
export class BenchUsage extends Error {}
