/** Which mutants a run tries. */
import { createHash } from 'node:crypto';
import type { Mutant } from './mutants.ts';

/**
 * What names a mutant after lines were added elsewhere: place, change and text. Of several that share all of it, the order in the file
 * tells which is meant.
 */
export function identitiesOf(mutants: readonly Mutant[]): ReadonlyMap<Mutant, string> {
  const seen = new Map<string, number>();
  return new Map(
    mutants.map((mutant) => {
      const { file, within, change, original, replacement } = mutant;
      const name = JSON.stringify([file, within, change, original, replacement]);
      const before = seen.get(name) ?? 0;
      seen.set(name, before + 1);
      return [mutant, `${name}#${before}`];
    }),
  );
}

const isRotator = ({ file }: Mutant) => file.startsWith('rotators/');

/**
 * The mutants whose names come first when hashed with the seed, half of them of rotators, because everything rests on the rest. A change
 * of one file leaves the sample of all others as it was, so that a run of CI does not turn red for what somebody else wrote.
 */
export function sampleOf(mutants: readonly Mutant[], seed: string, size: number): readonly Mutant[] {
  const ranks = new Map(
    [...identitiesOf(mutants)].map(([mutant, name]) => [
      mutant,
      createHash('sha256').update(`${seed}\n${name}`).digest('hex'),
    ]),
  );
  const rank = (mutant: Mutant) => ranks.get(mutant) ?? '';
  const ranked = [...mutants].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  const rotators = ranked.filter(isRotator);
  const others = ranked.filter((mutant) => !isRotator(mutant));
  // Where one of the two has too few, the other fills up.
  const ofOthers = Math.max(Math.ceil(size / 2), size - rotators.length);
  const first = others.slice(0, ofOthers);
  return [...first, ...rotators.slice(0, size - first.length)];
}
