/** Whether every copy could take a new credential, before anything is changed for one. */
import type { Vault } from '../../contract/ports.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { Target } from '../running/target.ts';
import { behind, type Copy, type End, findCopies, within } from './find.ts';
import type { Vaults } from './link.ts';
import { fitted, isOurs } from './value.ts';

export interface CopyLook {
  /** `VAULT/NAME`. */
  readonly shown: string;
  readonly as: 'copy' | 'derived';
  readonly isCurrent: boolean;
}

export interface LookedAtCopies {
  readonly kind: 'looked';
  readonly copies: readonly CopyLook[];
  readonly failed: readonly { readonly shown: string; readonly failure: Failure }[];
}

/** Reads the values of copies that consent, and no other. Changes nothing. */
export async function lookAtCopies(
  vaults: Vaults,
  vault: Vault,
  current: Current,
  target: Pick<Target, 'value'>,
  signal: AbortSignal,
): Promise<LookedAtCopies> {
  const { ends } = await findCopies(vaults, vault, current, signal);
  const copies: CopyLook[] = [];
  const failed: { readonly shown: string; readonly failure: Failure }[] = [];
  for (const end of ends) {
    const look = await lookAt(end, current, target, signal);
    if ('kind' in look) failed.push({ shown: end.shown, failure: look });
    else copies.push(look);
  }
  return { kind: 'looked', copies, failed };
}

async function lookAt(
  end: End,
  current: Current,
  { value }: Pick<Target, 'value'>,
  signal: AbortSignal,
): Promise<CopyLook | Failure> {
  if (end.kind === 'none') return end.failure;
  const { secret, policy } = current;
  const unfit = (detail: string) => failure('copy-unfit', { secret: secret.name, copy: end.shown, detail });
  const read = await end.vault.read(end.place.secret, { signal: within(signal) });
  if (isFailure(read)) return behind(secret.name, end.shown, read);
  if (read.kind !== 'found')
    return unfit(`its newest version is ${read.kind === 'disabled' ? 'disabled; enable it' : 'gone'}`);
  const fits = fitted({ policy, value }, end, read.secret);
  if (fits.kind === 'unfit') return unfit(fits.detail);
  if (isStrange(end, fits.isCurrent, isOurs(read.secret))) return unfit(`it holds another key than ${secret.name}`);
  return { shown: end.shown, as: end.end.as, isCurrent: fits.isCurrent };
}

/** A derived secret that Keyturn has never written must hold the key of its source. */
function isStrange({ end }: Copy, isCurrent: boolean, ours: boolean): boolean {
  return end.as === 'derived' && !isCurrent && !ours;
}
