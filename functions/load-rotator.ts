import type { Rotator, RotatorEntry, RotatorEnvironment } from '../shared/contract/rotator.ts';
import { once } from './once.ts';

/** Each rotator is made once, with its driver, when the first secret needs it. */
export function rotatorLoader(environment: RotatorEnvironment): (entry: RotatorEntry) => Promise<Rotator> {
  const known = new Map<string, () => Promise<Rotator>>();
  return (entry) => {
    const load = known.get(entry.name) ?? once(() => entry.load(environment));
    known.set(entry.name, load);
    return load();
  };
}
