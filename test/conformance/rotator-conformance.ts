/**
 * The one suite that every rotator passes, for every strategy its registry entry names. A rotator brings a harness of about a dozen
 * lines and a target to break; the claims are here and are the same for all.
 */
import { describe } from 'vitest';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { claimsOfAlternating } from './claims-alternating.ts';
import { claimsOfApply } from './claims-apply.ts';
import { claimsOfCheck } from './claims-check.ts';
import { claimsOfFailures } from './claims-failures.ts';
import { claimsOfPropose } from './claims-propose.ts';
import { claimsOfRehearsal } from './claims-rehearsal.ts';
import { claimsOfRetire } from './claims-retire.ts';
import { claimsOfRollBack } from './claims-roll-back.ts';
import { claimsOfVerify } from './claims-verify.ts';
import type { RotatorHarness } from './harness.ts';
import { useWorkbench } from './workbench.ts';

export * from './harness.ts';

/** Declares the claims for all strategies of the entry. Call it once, at the top of `test/rotators/NAME.conformance.test.ts`. */
export function describeRotator<Options>(name: string, harness: RotatorHarness<Options>): void {
  if (name !== harness.entry.name) throw new Error(`the harness of ${name} brings the entry ${harness.entry.name}`);
  for (const strategy of harness.entry.strategies) {
    describe(`${name}, ${strategy}`, { timeout: 20_000 }, () => describeStrategy(strategy, harness));
  }
}

function describeStrategy<Options>(strategy: Strategy, harness: RotatorHarness<Options>): void {
  const bench = useWorkbench(strategy, harness);
  claimsOfPropose(bench);
  claimsOfApply(bench);
  claimsOfVerify(bench);
  claimsOfRetire(bench);
  claimsOfRollBack(bench);
  claimsOfFailures(bench);
  claimsOfCheck(bench);
  claimsOfRehearsal(bench);
  if (strategy === 'alternating-users') claimsOfAlternating(bench);
}
