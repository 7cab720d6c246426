/** Whether both ends of a link consent, and the command that puts right the one that does not. Tags alone are read, never a value. */
import type { SecretProperties, Vault } from '../../contract/ports.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import { type PolicyDependencies, policyOf } from '../policy/current.ts';
import {
  alsoTag,
  copyOfTag,
  derivedFromTag,
  isSamePlace,
  type LinkedEnd,
  lists,
  type Place,
  placeText,
  readLinkedEnd,
  type SourceLook,
  sourceOf,
} from '../policy/links.ts';
import { policyTag } from '../policy/policy-tag.ts';
import { requestedTag } from '../policy/requested.ts';
import { longestTag, mostTags, readStamp, stampTag, tagsKept } from '../policy/stamp.ts';
import { lineToTag } from '../running/admin-tags.ts';

export type Vaults = ReadonlyMap<string, Vault>;

export type Newest = SecretProperties & { readonly version: string };

/** The newest version by the listing of versions, which shows no value. */
export async function newestOf(
  vault: Vault,
  secret: string,
  signal: AbortSignal,
): Promise<
  | { readonly kind: 'newest'; readonly newest: Newest; readonly all: readonly Newest[] }
  | { readonly kind: 'missing' }
  | Failure
> {
  const listed = await vault.versions(secret, { signal });
  if (isFailure(listed)) return listed.code === 'secret-missing' ? { kind: 'missing' } : listed;
  const [newest] = listed.versions;
  return newest === undefined ? { kind: 'missing' } : { kind: 'newest', newest, all: listed.versions };
}

/** Whether the tags of a secret at `place` name the source; and if so, how they are linked. Pure. */
export function consentOf(source: Place, place: Place, properties: SecretProperties): LinkedEnd | undefined {
  const end = readLinkedEnd(properties.tags);
  return end?.kind === 'linked' && isSamePlace(sourceOf(end, place.vault), source) ? end : undefined;
}

/** A secret is listed, and does not name its source. */
export function notNaming(source: Place, place: Place, newest: Newest | undefined): Failure {
  const naming = source.vault.toLowerCase() === place.vault.toLowerCase() ? source.secret : placeText(source);
  const [shown, own] = [placeText(place), newest?.tags ?? {}];
  const about = { secret: source.secret, owner: shown };
  if (newest === undefined) {
    const line = `az keyvault secret set --vault-name ${place.vault} -n ${place.secret} --file VALUE --tags ${copyOfTag}=${naming}`;
    return failure('copy-link', { ...about, detail: `its tag "${alsoTag}" lists ${shown}, which is not there`, line });
  }
  const end = readLinkedEnd(own);
  const named = end?.kind === 'linked' ? placeText(sourceOf(end, place.vault)) : undefined;
  const says =
    end?.kind === 'invalid'
      ? `whose tags contradict each other (${end.problems.map(({ tag, detail }) => `"${tag}" ${detail}`).join('; ')})`
      : named === undefined
        ? `which has no tag "${copyOfTag}" or "${derivedFromTag}"`
        : `which names ${named}`;
  const { rotator: _rotator, [alsoTag]: _also, [copyOfTag]: _copy, [derivedFromTag]: derived, ...rest } = own;
  const tag = derived === undefined ? copyOfTag : derivedFromTag;
  const line = lineToTag(place.vault, place.secret, { ...rest, [tag]: naming });
  return failure('copy-link', { ...about, detail: `its tag "${alsoTag}" lists ${shown}, ${says}`, line });
}

/** A secret names a source that does not list it. `tags`: of the source; undefined: there is none. */
function notListed(source: Place, place: Place, tags: SecretProperties['tags'] | undefined): Failure {
  const shown = placeText(source);
  const entry = source.vault.toLowerCase() === place.vault.toLowerCase() ? place.secret : placeText(place);
  const says = tags === undefined ? 'which is not there' : `whose tag "${alsoTag}" does not list it`;
  return failure('copy-link', {
    secret: place.secret,
    owner: shown,
    detail: `it names ${shown} as its source, ${says}`,
    line: lineToTag(source.vault, source.secret, withEntry(tags ?? {}, entry)),
  });
}

/** Where the secret has no room for a further tag, or the list stands inside the tag `policy` already, it goes there. */
function withEntry(tags: SecretProperties['tags'], entry: string): SecretProperties['tags'] {
  const { [alsoTag]: list, [policyTag]: packed } = tags;
  const inside = packed !== undefined && /(?:^|;)\s*also\s*=/.test(packed);
  if (packed !== undefined && inside)
    return { ...tags, [policyTag]: packed.replace(/((?:^|;)\s*also\s*=\s*)/, `$1${entry},`) };
  const others = Object.keys(tags).filter((tag) => tag !== stampTag && tag !== requestedTag).length;
  if (packed !== undefined && list === undefined && others >= mostTags - tagsKept)
    return { ...tags, [policyTag]: `${packed}; ${alsoTag}=${entry}` };
  return { ...tags, [alsoTag]: list === undefined ? entry : `${list},${entry}` };
}

/** Looks whether the source lists the copy, by its tags alone. May be called any number of times. */
export async function lookAtSource(
  deps: PolicyDependencies & { readonly vaults: Vaults },
  place: Place,
  end: LinkedEnd,
  signal: AbortSignal,
): Promise<SourceLook | Failure> {
  const source = sourceOf(end, place.vault);
  const vault = deps.vaults.get(source.vault.toLowerCase());
  if (vault === undefined) return failure('vault-unknown', { secret: place.secret, vault: source.vault });
  const found = await newestOf(vault, source.secret, signal);
  if (isFailure(found)) return found;
  if (found.kind === 'missing') return notListed(source, place, undefined);
  const outcome = policyOf(deps, found.newest);
  const also = outcome.kind === 'policy' ? outcome.policy.also : [];
  const { tags } = found.newest;
  return lists(also, source, place)
    ? { kind: 'source', source, stamp: readStamp(tags) }
    : notListed(source, place, tags);
}

/** A copy needs one tag for the stamp. */
export function tagsFull(source: Place, place: Place, { tags }: SecretProperties): Failure | undefined {
  const others = Object.keys(tags).filter((tag) => tag !== stampTag).length;
  if (others < mostTags) return undefined;
  const detail = `${placeText(place)} has ${others} tags, and Keyturn needs one of the ${mostTags} (each of ${longestTag} characters at most)`;
  return failure('tags-full', { secret: source.secret, detail });
}
