/** A refused version that holds an earlier credential: something writes an old value back, once or again and again. */
import { type Credential, sameCredential } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { Listed } from '../policy/origin.ts';
import { readEarlier } from '../running/previous.ts';

export interface WrittenBack {
  readonly kind: 'looked';
  /** Earlier versions with this credential, newest first. More than one: it was written back before. */
  readonly versions: readonly { readonly version: string; readonly createdAt: Date }[];
}

/** How many earlier versions are compared, newest first. */
const mostCompared = 8;

/**
 * Finds the earlier versions with the same credential. A disabled one is enabled to be read and disabled again, as consumers read the newest.
 * One whose value cannot be read is left out.
 */
export async function findWrittenBack(
  vault: Vault,
  current: Current,
  credential: Credential,
  versions: readonly Listed[],
  signal: AbortSignal,
): Promise<WrittenBack | Failure> {
  const found: { version: string; createdAt: Date }[] = [];
  const { name, version: own } = current.secret;
  for (const { version, enabled, createdAt } of versions
    .filter((each) => each.version !== own)
    .slice(0, mostCompared)) {
    const earlier = await readEarlier(vault, current, version, signal);
    const closed = enabled ? undefined : await vault.change(name, version, { enabled: false }, { signal });
    if (closed !== undefined && isFailure(closed)) return closed;
    if (isFailure(earlier) && earlier.code !== 'value-unreadable') return earlier;
    if (earlier.kind === 'earlier' && sameCredential(earlier.credential, credential))
      found.push({ version, createdAt });
  }
  return { kind: 'looked', versions: found };
}

const minuteMs = 60_000;

/** What a person is told of it, as the end of a sentence. Pure. */
export function writtenBackText({ versions }: WrittenBack, createdAt: Date): string {
  const [latest] = versions;
  if (latest === undefined) return '';
  if (versions.length === 1) return `, and it holds the credential of version ${latest.version} again`;
  const minutes = Math.max(1, Math.round((createdAt.getTime() - latest.createdAt.getTime()) / minuteMs));
  const before = versions.length - 1;
  const times = before === 1 ? 'once before' : `${before} times before`;
  return `, and it holds an old credential that was written back ${times}, the last time ${minutes} min earlier (version ${latest.version}): something writes it again and again`;
}
