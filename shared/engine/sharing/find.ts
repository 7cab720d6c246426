/** Which other secrets publish a login, pair or resource of one secret, in any of the app's vaults. */
import type { Credential } from '../../contract/credential.ts';
import type { SecretProperties, Vault } from '../../contract/ports.ts';
import type { SecretPlace } from '../../contract/state.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { type Current, policyOf, readCurrent } from '../policy/current.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import { credentialOf, prepare, readValue, type Target } from '../running/target.ts';
import { markOf } from './mark.ts';
import { mayShare, printsOf } from './prints.ts';

/** How many secrets are read by one rotation where nobody has looked at all of them yet. The sweep looks at the rest. */
const mostRead = 200;

export interface SharingWork {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly signal: AbortSignal;
}

/** What one secret publishes. */
export interface Published {
  readonly kind: 'published';
  readonly current: Current;
  readonly credential: Credential;
  readonly prints: readonly string[];
}

/** What a prepared secret publishes. Pure. */
export function publishedBy(current: Current, target: Target): Published {
  const { endpoint, adminEndpoint } = target.stepFor({ signal: new AbortController().signal, remainingMs: () => 0 });
  const { credential } = target;
  const prints = printsOf(current.policy, { credential, endpoints: [endpoint, adminEndpoint] });
  return { kind: 'published', current, credential, prints };
}

/**
 * Keeps what a secret publishes, for those that look later. The mark of a version that is about to be replaced is worth nothing, so the same
 * fingerprints are not written again.
 */
export async function keepPublished({ deps, vault }: Pick<SharingWork, 'deps' | 'vault'>, published: Published) {
  const { secret } = published.current;
  const place = { vault: vault.name, secret: secret.name };
  const known = await deps.logins.of(place);
  if (isFailure(known)) return known;
  if (known.seen?.prints.join() === published.prints.join()) return { kind: 'kept' as const };
  return deps.logins.keep(place, { mark: markOf(secret), prints: published.prints });
}

/** Reads what a secret publishes now. `none`: nothing that a rotation of another one could take away. */
export async function readPublished(
  { deps, vault, signal }: SharingWork,
  name: string,
): Promise<Published | { readonly kind: 'none' } | Failure> {
  const current = await readCurrent(deps, vault, name, signal);
  if (isFailure(current)) return passing.has(current.class) ? current : { kind: 'none' };
  if (current.kind !== 'current' || !mayShare(current.policy)) return { kind: 'none' };
  const target = await prepare(deps, vault, current, { rotationId: '', emergency: false }, signal);
  if (!isFailure(target)) return publishedBy(current, target);
  if (passing.has(target.class)) return target;
  // Its admin cannot be used just now; its value says where it logs in.
  const read = readValue(current.secret, current.policy);
  if (isFailure(read)) return { kind: 'none' };
  const credential = credentialOf(current.secret, read.value, current.policy);
  const endpoints = read.value.endpoint === undefined ? [] : [read.value.endpoint];
  const prints = printsOf(current.policy, { credential, endpoints });
  return { kind: 'published', current, credential, prints };
}

/** What passes by itself is no evidence that a secret publishes nothing. */
const passing: ReadonlySet<string> = new Set(['retry']);

/**
 * The other secrets of the same login, pair or resource, each read again before it counts. `vault/name` where it is in another vault. Never
 * changes a vault or a target.
 */
export async function findSharing(
  work: SharingWork,
  own: Published,
): Promise<{ readonly kind: 'looked'; readonly others: readonly SecretPlace[] } | Failure> {
  const { deps, vault, signal } = work;
  const self = placeKey({ vault: vault.name, secret: own.current.secret.name });
  const found = await Promise.all(own.prints.map((print) => deps.logins.holders(print)));
  const candidates = new Map<string, SecretPlace>();
  for (const one of found) {
    if (isFailure(one)) return one;
    for (const holder of one.holders) if (placeKey(holder) !== self) candidates.set(placeKey(holder), holder);
  }
  const others: SecretPlace[] = [];
  for (const place of candidates.values()) {
    const of = deps.vaults.get(place.vault.toLowerCase());
    const other =
      of === undefined ? { kind: 'none' as const } : await readPublished({ deps, vault: of, signal }, place.secret);
    if (isFailure(other)) return other;
    if (other.kind === 'published' && isSame(own, other)) others.push(place);
    else if (other.kind === 'none') await deps.logins.forget(place);
  }
  return { kind: 'looked', others };
}

function placeKey({ vault, secret }: SecretPlace): string {
  return `${vault}/${secret}`.toLowerCase();
}

/** Of the keys of an issuer only the very same key is shared: each of them is issued and revoked on its own. */
function isSame(one: Published, other: Published): boolean {
  if (!one.prints.some((print) => other.prints.includes(print))) return false;
  const { strategy } = one.current.policy;
  if (strategyTraits[strategy].pending !== 'after-apply') return true;
  const isSameId = one.credential.keyId !== undefined && one.credential.keyId === other.credential.keyId;
  return isSameId || one.credential.password.equals(other.credential.password);
}

/** The same for all vaults of the app: one call where all of them were looked at, however many there are. */
export async function fillIndexes({
  deps,
  signal,
}: Pick<SharingWork, 'deps' | 'signal'>): Promise<{ readonly kind: 'filled' } | Failure> {
  const complete = await deps.logins.completeVaults();
  if (isFailure(complete)) return complete;
  const left = [...deps.vaults.values()].filter(({ name }) => !complete.vaults.has(name));
  const filled = await Promise.all(left.map((vault) => fillIndex({ deps, vault, signal })));
  return filled.find(isFailure) ?? { kind: 'filled' };
}

/**
 * Looks at the secrets of a vault that nobody has looked at, where the index was lost or never made. Says whether that were all of them.
 */
export async function fillIndex({ deps, vault, signal }: SharingWork): Promise<{ readonly kind: 'filled' } | Failure> {
  const complete = await deps.logins.completeAt(vault.name);
  if (isFailure(complete)) return complete;
  if (complete.at !== undefined) return { kind: 'filled' };
  let left = mostRead;
  let startedAt: Date | undefined;
  for await (const page of vault.list({ signal })) {
    if (isFailure(page)) return page;
    startedAt ??= page.readAt;
    for (const properties of page.secrets) {
      const looked = await lookOnce({ deps, vault, signal }, properties);
      if (isFailure(looked)) return looked;
      if (looked.kind === 'read' && --left === 0) return { kind: 'filled' };
    }
  }
  if (startedAt === undefined) return { kind: 'filled' };
  const marked = await deps.logins.markComplete(vault.name, startedAt);
  return isFailure(marked) ? marked : { kind: 'filled' };
}

async function lookOnce(work: SharingWork, properties: SecretProperties) {
  const { deps, vault } = work;
  const place = { vault: vault.name, secret: properties.name };
  const read = policyOf(deps, properties);
  if (read.kind !== 'policy') return { kind: 'left' as const };
  const mark = markOf(properties);
  const known = await deps.logins.of(place);
  if (isFailure(known)) return known;
  if (known.seen?.mark === mark) return { kind: 'left' as const };
  return lookAtSecret(work, properties, mayShare(read.policy));
}

/** Reads one secret and keeps what it publishes. `may`: whether its policy has a target at all; otherwise only that it is managed is kept. */
export async function lookAtSecret(work: SharingWork, properties: SecretProperties, may: boolean) {
  const place = { vault: work.vault.name, secret: properties.name };
  const published = may ? await readPublished(work, properties.name) : { kind: 'none' as const };
  if (isFailure(published)) return published;
  const prints = published.kind === 'none' ? [] : published.prints;
  const kept = await work.deps.logins.keep(place, { mark: markOf(properties), prints });
  if (isFailure(kept)) return kept;
  return { kind: 'read' as const, published };
}
