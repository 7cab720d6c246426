import type { Bench } from './bench.ts';
import { rotation } from './rotation/bench.ts';

/** Every bench by its name. */
export const benches: readonly Bench[] = [rotation];
