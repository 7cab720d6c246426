/**
 * Mutants that no test can notice, each with the reason. Who adds one has looked for the test that would notice it, and found why there
 * cannot be one: "no test does" is no reason. A test fails when an entry fits no mutant any more.
 */
import type { Mutant } from './mutants.ts';

export interface Equivalent extends Pick<Mutant, 'file' | 'within' | 'change' | 'original'> {
  /** Named where the change alone leaves more than one. */
  readonly replacement?: string;
  readonly why: string;
}

export const equivalents: readonly Equivalent[] = [
  {
    file: 'shared/engine/rotation/publish.ts',
    within: 'overtaken',
    change: 'call replaced',
    original: 'find',
    why: 'A rotation publishes one version that replaces the version it read, so the first one found is the last one too.',
  },
];

export function fits(entry: Equivalent, mutant: Mutant): boolean {
  return (
    entry.file === mutant.file &&
    entry.within === mutant.within &&
    entry.change === mutant.change &&
    entry.original === mutant.original &&
    (entry.replacement === undefined || entry.replacement === mutant.replacement)
  );
}

/** Whether the list says why nothing can notice it. */
export function isEquivalent(mutant: Mutant): boolean {
  return equivalents.some((entry) => fits(entry, mutant));
}
