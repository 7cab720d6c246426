import type { Approvals, FourEyes } from '../contract/approvals.ts';
import type { Deliveries } from '../contract/deliveries.ts';
import type { LeasesHeld, QueueDepths, StorageParts, Vault } from '../contract/ports.ts';
import type {
  Acknowledgements,
  IdempotencyKeys,
  Irregularities,
  Marks,
  Rehearsals,
  SweepTimes,
} from '../contract/state.ts';
import type { PerformDependencies } from '../operations/perform.ts';
import type { Answer } from './answer.ts';
import { problem } from './problem.ts';

/** Everything the routes work with, but for the log of the invocation. Made once per process in functions/compose.ts. */
export interface ApiDependencies extends Omit<PerformDependencies, 'log'> {
  readonly marks: Marks;
  readonly irregularities: Irregularities;
  readonly rehearsals: Rehearsals;
  /** Which secrets a worker is at. */
  readonly leasesHeld: LeasesHeld;
  readonly deliveries: Deliveries;
  readonly acknowledgements: Acknowledgements;
  readonly idempotencyKeys: IdempotencyKeys;
  readonly approvals: Approvals;
  readonly fourEyes: FourEyes;
  readonly storageParts: StorageParts;
  readonly queueDepths: QueueDepths;
  readonly sweepTimes: SweepTimes;
  /** The app's own version. */
  readonly version: string;
}

/** One of the app's vaults, or the answer that says that it is none. */
export function vaultOf(
  deps: ApiDependencies,
  name: string,
): { readonly kind: 'vault'; readonly vault: Vault } | { readonly kind: 'problem'; readonly answer: Answer } {
  const vault = deps.engine.vaults.get(name);
  if (vault !== undefined) return { kind: 'vault', vault };
  const known = [...deps.engine.vaults.keys()].join(', ');
  return {
    kind: 'problem',
    answer: problem('vault-not-served', `there is no vault of that name here; there are ${known}`),
  };
}
