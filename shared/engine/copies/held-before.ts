import type { Vault } from '../../contract/ports.ts';
import type { SecretText } from '../../contract/secret-text.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { readStamp } from '../policy/stamp.ts';
import { readEarlier } from '../running/previous.ts';

/** How many versions back are looked at: emergencies do not wait for a copy that is behind, so more than one may have gone by. */
const mostGenerations = 20;

export interface HeldBefore {
  readonly kind: 'looked';
  readonly before: boolean;
  /** Versions that hold nothing that can be read as a credential. They are no evidence. */
  readonly unread: readonly string[];
}

/**
 * Whether an earlier version held that password, newest first. Somebody else may have written in between, so the listing leads and not the
 * stamps. One that is disabled is enabled to be read, and disabled again. One whose value is no credential, as somebody's mistake leaves one, is
 * passed over; one that the vault does not give out is a failure, as nobody knows what it held.
 */
export async function heldBefore(
  vault: Vault,
  current: Current,
  password: SecretText,
  signal: AbortSignal,
): Promise<HeldBefore | Failure> {
  const { name, version: own } = current.secret;
  const listed = await vault.versions(name, { signal });
  if (isFailure(listed)) return listed;
  const unread: string[] = [];
  const ended = new Set(
    listed.versions.map(({ tags }) => readStamp(tags)).map((stamp) => stamp?.retired && stamp.from),
  );
  for (const { version, enabled } of listed.versions.filter((each) => each.version !== own).slice(0, mostGenerations)) {
    // What was retired is disabled; a worker that died while it looked may have left it open.
    const earlier = await readAsItWas(vault, current, version, !enabled || ended.has(version), signal);
    if (isFailure(earlier)) {
      if (earlier.code !== 'value-unreadable') return earlier;
      unread.push(version);
    } else if (earlier.kind === 'earlier' && earlier.credential.password.equals(password)) {
      return { kind: 'looked', before: true, unread };
    }
  }
  return { kind: 'looked', before: false, unread };
}

async function readAsItWas(vault: Vault, current: Current, version: string, isClosed: boolean, signal: AbortSignal) {
  const read = await readEarlier(vault, current, version, signal);
  if (!isClosed) return read;
  const closed = await vault.change(current.secret.name, version, { enabled: false }, { signal });
  return isFailure(closed) && !isFailure(read) ? closed : read;
}
