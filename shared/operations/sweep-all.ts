/** One sweep over all vaults, with what holds automatic rotations back. */
import type { Freeze, FreezeState } from '../contract/state.ts';
import { type Failure, isFailure } from '../errors.ts';
import { atOnce, mostVaultsAtOnce } from './at-once.ts';
import { type SweepDependencies, type Swept, sweep } from './sweep.ts';
import { noLinks, tellOfLinks } from './sweep-links.ts';

export interface SweepAllDependencies extends SweepDependencies {
  readonly freeze: Freeze;
}

export interface SweptAll {
  /** A failure: it could not be read, and counted as frozen. */
  readonly freeze: FreezeState | Failure;
  /** By vault: what was found, or why it could not be looked at. */
  readonly vaults: readonly { readonly vault: string; readonly outcome: Swept | Failure }[];
}

/**
 * Sweeps every vault, a few at a time; one that fails does not keep the others from being swept. While the app is frozen nothing that is due is started; what
 * stopped half-way is finished and what must end by its deadline ends: to leave those would break what the freeze is to protect.
 */
export async function sweepAll(deps: SweepAllDependencies, signal: AbortSignal): Promise<SweptAll> {
  const freeze = await deps.freeze.read();
  const links = noLinks();
  const vaults = await atOnce(
    [...deps.engine.vaults.values()],
    mostVaultsAtOnce,
    async (vault) => ({
      vault: vault.name,
      outcome: await sweep(deps, vault, isFailure(freeze) ? undefined : freeze, signal, links),
    }),
    deps.random(),
  );
  const swept = new Set(vaults.flatMap(({ vault, outcome }) => (isFailure(outcome) ? [] : [vault])));
  const unread = await tellOfLinks(deps, links, swept, signal);
  return { freeze, vaults: unread === undefined ? vaults : vaults.map((one) => withUnread(one, unread)) };
}

/** What could not be told of links is told by the next sweep, and the log says why. */
function withUnread<One extends { readonly outcome: Swept | Failure }>(one: One, unread: Failure): One {
  return isFailure(one.outcome) ? one : { ...one, outcome: { ...one.outcome, unread: one.outcome.unread ?? unread } };
}
