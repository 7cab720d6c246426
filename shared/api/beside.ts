/** What is known of one secret besides its own versions: the same for showing it and for planning its rotation. */
import type { SecretProperties, Vault } from '../contract/ports.ts';
import type { Trouble } from '../contract/state.ts';
import { pendingNameOf } from '../engine/policy/identifiers.ts';
import { readStamp } from '../engine/policy/stamp.ts';
import { judgePending } from '../engine/sweep/judge.ts';
import type { Known } from '../engine/sweep/standing.ts';
import { type Failure, isFailure } from '../errors.ts';
import type { ApiDependencies } from './dependencies.ts';
import { knownOf } from './listing.ts';

type Listed = SecretProperties & { readonly version: string };

export interface BesideOne {
  readonly known: Known;
  readonly trouble: Trouble | Failure;
  /** The stored candidate, where one waits to be published. */
  readonly candidate: Listed | undefined;
  /** What could not be read. It counts as nothing; a freeze counts as frozen. */
  readonly unread: readonly Failure[];
}

/** Five reads at once, none of them of a value. */
export async function besideOne(
  deps: Pick<ApiDependencies, 'attention' | 'freeze' | 'irregularities' | 'leasesHeld'>,
  vault: Vault,
  secret: string,
  signal: AbortSignal,
): Promise<BesideOne> {
  const [pending, trouble, freeze, held, irregular] = await Promise.all([
    vault.versions(pendingNameOf(secret), { signal }),
    deps.attention.of(vault.name, secret),
    deps.freeze.read(),
    deps.leasesHeld.held(vault.name),
    deps.irregularities.of({ vault: vault.name, secret }),
  ]);
  const candidate = isFailure(pending) ? undefined : waiting(pending.versions);
  return {
    known: {
      trouble: isFailure(trouble) ? undefined : trouble,
      freeze: isFailure(freeze) ? 'unreadable' : freeze,
      inFlight: !isFailure(held) && held.secrets.has(secret.toLowerCase()),
      isStored: candidate !== undefined,
      ...(isFailure(irregular) ? {} : knownOf(irregular)),
    },
    trouble,
    candidate,
    unread: [trouble, pending, freeze, held, irregular].filter(isFailure),
  };
}

/** It counts while it is enabled; it is switched off when it has been published. */
function waiting([newest]: readonly Listed[]): Listed | undefined {
  if (newest === undefined) return undefined;
  return judgePending(newest, readStamp(newest.tags)).kind === 'stalled' ? newest : undefined;
}
