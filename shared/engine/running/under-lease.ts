import type { Vault } from '../../contract/ports.ts';
import { type Failure, failure } from '../../errors.ts';
import { Attempt } from './attempt.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { Attempted, Failed, Skipped } from './result.ts';

/**
 * Runs work on one secret while nobody else works on it. Never throws for anything a vault, a target or a person did; the lease is
 * given back whatever happens.
 */
export async function underLease<Result extends Attempted>(
  deps: EngineDependencies,
  request: { readonly vault: string; readonly secret: string; readonly rotationId?: string | undefined },
  work: (vault: Vault, attempt: Attempt) => Promise<Result | Failure>,
): Promise<Result | Failed | Skipped> {
  const about = { rotationId: request.rotationId ?? '', vault: request.vault, secret: request.secret };
  const vault = deps.vaults.get(request.vault.toLowerCase());
  if (vault === undefined) return { ...about, kind: 'failed', failure: failure('vault-unknown', about), steps: [] };
  const acquired = await deps.leases.acquire(vault.name, request.secret);
  if (acquired.kind === 'failed') return { ...about, kind: 'failed', failure: acquired, steps: [] };
  if (acquired.kind === 'busy') {
    return { ...about, kind: 'skipped', reason: 'busy', detail: 'another worker is at it', steps: [] };
  }
  const attempt = new Attempt(acquired.lease, deps, { ...about, vault: vault.name });
  try {
    const outcome = await work(vault, attempt);
    if ('steps' in outcome) return outcome;
    return { ...attempt.about, ...attempt.reached, kind: 'failed', failure: outcome, steps: attempt.steps };
  } finally {
    await acquired.lease.release();
  }
}
