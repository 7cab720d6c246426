/** One sweep over all vaults, with what holds automatic rotations back. */
import type { Vault } from '../contract/ports.ts';
import type { Attention, Freeze, FreezeState } from '../contract/state.ts';
import type { SweepReport } from '../engine/sweep/walk.ts';
import { type Failure, isFailure } from '../errors.ts';
import { type SweepDependencies, sweep } from './sweep.ts';

export interface SweepAllDependencies extends Omit<SweepDependencies, 'heldBack'> {
  readonly freeze: Freeze;
  readonly attention: Attention;
}

export interface SweptAll {
  readonly kind: 'swept-all';
  readonly freeze: FreezeState;
  /** By vault: what was found, or why it could not be looked at. */
  readonly vaults: readonly {
    readonly vault: string;
    readonly quarantined: number;
    readonly outcome: SweepReport | Failure;
  }[];
}

/**
 * Sweeps every vault; one that fails does not keep the others from being swept. While the app is frozen nothing that is due is started; what
 * stopped half-way is finished and what must end by its deadline ends: to leave those would break what the freeze is to protect.
 */
export async function sweepAll(deps: SweepAllDependencies, signal: AbortSignal): Promise<SweptAll | Failure> {
  const freeze = await deps.freeze.read();
  if (isFailure(freeze)) return freeze;
  const vaults = await Promise.all(
    [...deps.engine.vaults.values()].map(async (vault) => {
      const quarantined = await inQuarantine(deps.attention, vault);
      if ('kind' in quarantined) return { vault: vault.name, quarantined: 0, outcome: quarantined };
      const heldBack = (secret: string) => freeze.frozen || quarantined.has(secret.toLowerCase());
      const outcome = await sweep({ ...deps, heldBack }, vault, signal);
      return { vault: vault.name, quarantined: quarantined.size, outcome };
    }),
  );
  return { kind: 'swept-all', freeze, vaults };
}

/** Few at any time, so they are kept while their vault is swept. */
async function inQuarantine(attention: Attention, vault: Vault): Promise<Set<string> | Failure> {
  const names = new Set<string>();
  for await (const one of attention.all(vault.name)) {
    if (isFailure(one)) return one;
    if (one.trouble.quarantined) names.add(one.secret.toLowerCase());
  }
  return names;
}
