/** The copies and derived secrets of one source, with the consent of both ends. */
import type { SecretProperties, Vault } from '../../contract/ports.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import { listsName } from '../policy/glob.ts';
import { type Also, isPattern, isSamePlace, type LinkedEnd, type Place, placeText } from '../policy/links.ts';
import type { Policy } from '../policy/policy.ts';
import { consentOf, type Newest, newestOf, notNaming, tagsFull, type Vaults } from './link.ts';

/**
 * Longest time for one copy, in ms: a vault that throttles is waited for by the next try, and not while the consumers of the others, or the
 * end of a leaked credential, wait for this one.
 */
const copyLimitMs = 10_000;

/** The signal of a step, for what is done about one copy. */
export function within(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(copyLimitMs)]);
}

/** A secret that is published with its source. */
export interface Copy {
  readonly kind: 'copy';
  readonly vault: Vault;
  readonly place: Place;
  /** `VAULT/NAME`. */
  readonly shown: string;
  readonly end: LinkedEnd;
  readonly entry: Also;
  /** Newest first. */
  readonly versions: readonly Newest[];
}

/** What one entry leads to: a copy, or why there is none. */
export type End = Copy | { readonly kind: 'none'; readonly shown: string; readonly failure: Failure };

/**
 * Looks at every secret that the source lists, by tags alone. A secret that is listed by its own name and does not name the source is a
 * failure; a pattern means those that name it. Never fails as a whole.
 */
export async function findCopies(
  vaults: Vaults,
  vault: Vault,
  { secret, policy }: { readonly secret: Pick<SecretProperties, 'name'>; readonly policy: Pick<Policy, 'also'> },
  signal: AbortSignal,
): Promise<{ readonly kind: 'found'; readonly ends: readonly End[] }> {
  const source = { vault: vault.name, secret: secret.name };
  const ends = new Map<string, End>();
  for (const entry of policy.also) {
    for (const end of await endsOf(vaults, source, entry, within(signal))) {
      const key = end.shown.toLowerCase();
      if (!ends.has(key)) ends.set(key, end);
    }
  }
  return { kind: 'found', ends: [...ends.values()] };
}

async function endsOf(vaults: Vaults, source: Place, entry: Also, signal: AbortSignal): Promise<readonly End[]> {
  const vault = vaults.get(entry.vault ?? source.vault.toLowerCase());
  const shown = placeText({ vault: entry.vault ?? source.vault, secret: entry.name });
  if (vault === undefined)
    return [none(shown, failure('vault-unknown', { secret: source.secret, vault: entry.vault ?? source.vault }))];
  if (!isPattern(entry)) return [await endOf(vault, source, entry, entry.name, signal)];
  const names = await namesThatFit(vault, source, entry, signal);
  if ('kind' in names) return [none(shown, behind(source.secret, shown, names))];
  const ends: End[] = [];
  for (const name of names) ends.push(await endOf(vault, source, entry, name, signal));
  return ends;
}

/** A pattern is looked up in the listing of the vault: one call for 25 secrets. */
async function namesThatFit(
  vault: Vault,
  source: Place,
  { name: pattern }: Also,
  signal: AbortSignal,
): Promise<readonly string[] | Failure> {
  const names: string[] = [];
  for await (const page of vault.list({ signal })) {
    if (isFailure(page)) return page;
    for (const each of page.secrets) {
      const place = { vault: vault.name, secret: each.name };
      const fits = listsName(pattern, each.name) && !isSamePlace(place, source);
      if (fits && consentOf(source, place, each) !== undefined) names.push(each.name);
    }
  }
  return names;
}

async function endOf(vault: Vault, source: Place, entry: Also, secret: string, signal: AbortSignal): Promise<End> {
  const place = { vault: vault.name, secret };
  const shown = placeText(place);
  if (isSamePlace(place, source)) {
    const detail = 'the tag "also" lists the secret itself';
    return none(shown, failure('copy-unfit', { secret: source.secret, copy: shown, detail }));
  }
  const found = await newestOf(vault, secret, signal);
  if (isFailure(found)) return none(shown, behind(source.secret, shown, found));
  if (found.kind === 'missing') return none(shown, notNaming(source, place, undefined));
  const end = consentOf(source, place, found.newest);
  if (end === undefined) return none(shown, notNaming(source, place, found.newest));
  const full = tagsFull(source, place, found.newest);
  if (full !== undefined) return none(shown, full);
  return { kind: 'copy', vault, place, shown, end, entry, versions: found.all };
}

function none(shown: string, why: Failure): End {
  return { kind: 'none', shown, failure: why };
}

/** What a vault answered, as what it means for the source. */
export function behind(secret: string, copy: string, why: Failure): Failure {
  const details = { secret, copy, detail: why.message, fix: why.hint };
  const failed = failure('copy-behind', details, why.cause);
  return why.retryAfterSeconds === undefined ? failed : { ...failed, retryAfterSeconds: why.retryAfterSeconds };
}
