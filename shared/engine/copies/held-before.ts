import type { Vault } from '../../contract/ports.ts';
import type { SecretText } from '../../contract/secret-text.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { readStamp, type Stamp } from '../policy/stamp.ts';
import { readEarlier } from '../running/previous.ts';

/** How many versions back are looked at: emergencies do not wait for a copy that is behind, so more than one may have gone by. */
const mostGenerations = 20;

/**
 * Whether a version that the current one goes back to, by the stamps, held that password. One that is disabled is enabled to be read, and
 * disabled again.
 */
export async function heldBefore(
  vault: Vault,
  current: Current,
  password: SecretText,
  signal: AbortSignal,
): Promise<{ readonly kind: 'looked'; readonly before: boolean } | Failure> {
  let next: Stamp | undefined = current.stamp;
  for (let looked = 0; next !== undefined && looked < mostGenerations; looked++) {
    const earlier = await readAsItWas(vault, current, next.from, signal);
    if (isFailure(earlier)) return earlier;
    if (earlier.kind === 'missing') break;
    if (earlier.credential.password.equals(password)) return { kind: 'looked', before: true };
    next = readStamp(earlier.secret.tags);
  }
  return { kind: 'looked', before: false };
}

async function readAsItWas(vault: Vault, current: Current, version: string, signal: AbortSignal) {
  const seen = await readEarlier(vault, current, version, signal, true);
  if (seen.kind !== 'missing') return seen;
  const read = await readEarlier(vault, current, version, signal);
  if (read.kind !== 'earlier') return read;
  const closed = await vault.change(current.secret.name, version, { enabled: false }, { signal });
  return isFailure(closed) ? closed : read;
}
