/** An earlier version of a secret and its credential. */
import type { Credential } from '../../contract/credential.ts';
import type { SecretVersion, Vault } from '../../contract/ports.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { credentialOf, readValue } from './target.ts';

export interface Earlier {
  readonly kind: 'earlier';
  readonly secret: SecretVersion;
  readonly credential: Credential;
}

/**
 * Reads one earlier version. One that is disabled is enabled for it: consumers read the newest, so nobody notices, and its value is
 * needed to prove that the target refuses it. Called again it finds the same. `looking`: nothing is changed, and a disabled version counts
 * as one that cannot be read.
 */
export async function readEarlier(
  vault: Vault,
  current: Current,
  version: string,
  signal: AbortSignal,
  looking = false,
): Promise<Earlier | { readonly kind: 'missing' } | Failure> {
  const { name } = current.secret;
  let read = await vault.read(name, { version, signal });
  if (read.kind === 'disabled' && !looking) {
    const enabled = await vault.change(name, version, { enabled: true }, { signal });
    if (isFailure(enabled)) return enabled;
    read = await vault.read(name, { version, signal });
  }
  if (isFailure(read)) return read;
  if (read.kind !== 'found') return { kind: 'missing' };
  const parsed = readValue(read.secret, current.policy);
  if (isFailure(parsed)) {
    return failure('value-unreadable', { secret: name, detail: `in version ${version}: ${parsed.message}` });
  }
  return { kind: 'earlier', secret: read.secret, credential: credentialOf(read.secret, parsed.value, current.policy) };
}

/** Whether somebody has published the credential of an earlier version once more. That version stays as it is, disabled or not. */
export async function isCurrentAgain(
  vault: Vault,
  current: Current,
  version: string,
  signal: AbortSignal,
): Promise<{ readonly kind: 'looked'; readonly held: boolean } | Failure> {
  const { secret, policy } = current;
  const seen = await vault.read(secret.name, { version, signal });
  const earlier = await readEarlier(vault, current, version, signal);
  if (isFailure(earlier) && earlier.code !== 'value-unreadable') return earlier;
  const closed =
    seen.kind === 'disabled' ? await vault.change(secret.name, version, { enabled: false }, { signal }) : seen;
  if (isFailure(closed)) return closed;
  const read = readValue(secret, policy);
  if (isFailure(read)) return read;
  const { password } = credentialOf(secret, read.value, policy);
  return { kind: 'looked', held: earlier.kind === 'earlier' && earlier.credential.password.equals(password) };
}
