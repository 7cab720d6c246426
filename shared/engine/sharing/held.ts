/** What another secret holds of a login: published, stored as its candidate, or in an earlier version that a repair would go back to. */
import type { Credential } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import type { SecretPlace } from '../../contract/state.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { readPending } from '../running/pending.ts';
import { readEarlier } from '../running/previous.ts';
import { readPublished, type SharingWork } from './find.ts';

/** How many earlier versions are read, newest first. */
const mostEarlier = 2;

/** Newest first. Reads, and changes nothing. */
export async function heldAt(
  deps: SharingWork['deps'],
  { vault: name, secret }: SecretPlace,
  signal: AbortSignal,
): Promise<{ readonly kind: 'held'; readonly credentials: readonly Credential[] } | Failure> {
  const vault = deps.vaults.get(name.toLowerCase());
  if (vault === undefined) return { kind: 'held', credentials: [] };
  const published = await readPublished({ deps, vault, signal }, secret);
  if (isFailure(published)) return published;
  if (published.kind === 'none') return { kind: 'held', credentials: [] };
  const { current, credential } = published;
  const stored = await readPending(vault, current, signal);
  if (isFailure(stored) && stored.class === 'retry') return stored;
  const earlier = await earlierOf(vault, current, credential, signal);
  if (isFailure(earlier)) return earlier;
  const candidate = stored.kind === 'pending' ? [stored.credential] : [];
  return { kind: 'held', credentials: [credential, ...candidate, ...earlier.credentials] };
}

/** Of the same login alone: what a version before was of says nothing of this one. */
async function earlierOf(vault: Vault, current: Current, { username }: Credential, signal: AbortSignal) {
  const { name, version: own } = current.secret;
  const listed = await vault.versions(name, { signal });
  if (isFailure(listed)) return listed;
  const versions = listed.versions.filter(({ version, enabled }) => enabled && version !== own).slice(0, mostEarlier);
  const credentials: Credential[] = [];
  for (const { version } of versions) {
    const earlier = await readEarlier(vault, current, version, signal, true);
    if (isFailure(earlier) && earlier.class === 'retry') return earlier;
    if (earlier.kind === 'earlier' && earlier.credential.username === username) credentials.push(earlier.credential);
  }
  return { kind: 'earlier' as const, credentials };
}
