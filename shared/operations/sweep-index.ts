/**
 * What a sweep finds by looking at a secret's past and at the others: logins that two secrets share, and secrets that lost their tags. A
 * secret is read once for each of its versions; what is kept of all of them takes a few bytes each while the sweep goes on.
 */
import type { SecretProperties, Vault } from '../contract/ports.ts';
import type { Irregular, Irregularities, SecretPlace } from '../contract/state.ts';
import { originOf } from '../engine/policy/origin.ts';
import { isRetirementOpen, readStamp, stampTag } from '../engine/policy/stamp.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import { findSharing, lookAtSecret } from '../engine/sharing/find.ts';
import { markOf, quickHash } from '../engine/sharing/mark.ts';
import { mayShare } from '../engine/sharing/prints.ts';
import { provenSharing, type Sharing } from '../engine/sharing/proven.ts';
import { namesOfOthers } from '../engine/sharing/refuse.ts';
import type { Found } from '../engine/sweep/walk.ts';
import { type Failure, isFailure } from '../errors.ts';

export interface SweepIndexDependencies {
  readonly engine: EngineDependencies;
  readonly irregularities: Irregularities;
}

/** How many secrets are read at once. */
const mostAtOnce = 16;

/** 53 bits: that two of a million names are taken for one is as likely as winning a lottery. */
function key(text: string): number {
  return quickHash(text) * 0x200000 + (quickHash(text, 0x9747b28c) & 0x1fffff);
}

const keyOfName = (name: string): number => key(name.toLowerCase());

/** Reads what is kept of one vault. */
export async function readIndex(
  deps: SweepIndexDependencies,
  source: Vault,
  signal: AbortSignal,
): Promise<Index | Failure> {
  const seen = new Map<number, number>();
  for await (const one of deps.engine.logins.all(source.name)) {
    if (isFailure(one)) return one;
    seen.set(keyOfName(one.secret), key(one.mark));
  }
  const irregular = new Map<string, Irregular>();
  for await (const one of deps.irregularities.all(source.name)) {
    if (isFailure(one)) return one;
    irregular.set(one.secret.toLowerCase(), one);
  }
  const complete = await deps.engine.logins.completeAt(source.name);
  if (isFailure(complete)) return complete;
  return new Index(deps, rememberingAdmins(source), { seen, irregular, completeAt: complete.at, signal });
}

/** Most secrets of a vault have one of a few admins; each is read once. */
function rememberingAdmins(vault: Vault): Vault & { forget(): void } {
  const read = new Map<string, ReturnType<Vault['read']>>();
  return {
    name: vault.name,
    read(name, options) {
      if (options.version !== undefined) return vault.read(name, options);
      const known = read.get(name) ?? vault.read(name, options);
      read.set(name, known);
      return known;
    },
    write: (...given) => vault.write(...given),
    change: (...given) => vault.change(...given),
    versions: (...given) => vault.versions(...given),
    list: (...given) => vault.list(...given),
    forget: () => read.clear(),
  };
}

interface Kept {
  /** By name, the mark that was seen last; what the walk has met is taken out. */
  readonly seen: Map<number, number>;
  /** By name in lower case. */
  readonly irregular: Map<string, Irregular>;
  readonly completeAt: Date | undefined;
  readonly signal: AbortSignal;
}

interface Looked {
  readonly kind: 'looked';
  /** Of secrets that stand differently now. */
  readonly names: readonly string[];
  /** An overlap of an opted-out secret is over. */
  readonly ending?: Ending;
}

export interface Ending {
  readonly secret: string;
  readonly rotationId: string;
}

export class Index {
  readonly kind = 'index';
  readonly #deps: SweepIndexDependencies;
  /** Remembers values for one page. */
  readonly #vault: Vault & { forget(): void };
  readonly #kept: Kept;
  #startedAt: Date | undefined;

  constructor(deps: SweepIndexDependencies, vault: Vault & { forget(): void }, kept: Kept) {
    this.#deps = deps;
    this.#vault = vault;
    this.#kept = kept;
  }

  /** What is out of the ordinary with a secret, as far as it is known. */
  known(secret: string): { readonly sharedWith?: readonly string[]; readonly optedOutBy?: string } {
    const { irregular } = this.#kept;
    if (irregular.size === 0) return {};
    const { sharedWith, optedOut } = irregular.get(secret.toLowerCase()) ?? {};
    return { ...(sharedWith === undefined ? {} : { sharedWith }), ...(optedOut === true ? { optedOutBy: '' } : {}) };
  }

  /** Whether a secret without the tag `rotator` may have had it before: by what is kept, or because nobody has looked since it changed. */
  isSuspect({ name, tags, updatedAt }: SecretProperties): boolean {
    const { seen, irregular, completeAt } = this.#kept;
    if (tags[stampTag] !== undefined || irregular.has(name.toLowerCase()) || seen.has(keyOfName(name))) return true;
    return completeAt === undefined || updatedAt >= completeAt;
  }

  /** Looks at the secrets of one page that nobody has looked at as they are now. Gives the names, in lower case, of those that stand differently. */
  async page(
    found: readonly Found[],
    now: Date,
  ): Promise<
    { readonly kind: 'changed'; readonly names: ReadonlySet<string>; readonly endings: readonly Ending[] } | Failure
  > {
    this.#startedAt ??= now;
    this.#vault.forget();
    const names = new Set<string>();
    const endings: Ending[] = [];
    const work = found.filter((one) => this.#needsLook(one));
    for (let at = 0; at < work.length; at += mostAtOnce) {
      const looks = work.slice(at, at + mostAtOnce).map((one) => this.#look(one, now));
      for (const looked of await Promise.all(looks)) {
        if (isFailure(looked)) return looked;
        for (const name of looked.names) names.add(name.toLowerCase());
        if (looked.ending !== undefined) endings.push(looked.ending);
      }
    }
    return { kind: 'changed', names, endings };
  }

  #needsLook({ properties, finding, policy }: Found): boolean {
    if (finding.kind === 'stalled' || finding.kind === 'invalid') return false;
    if (finding.kind === 'opted-out') return true;
    const { seen, irregular } = this.#kept;
    const name = keyOfName(properties.name);
    const isKnown = seen.get(name) === key(markOf(properties));
    if (isKnown) seen.delete(name);
    const before = irregular.get(properties.name.toLowerCase());
    return policy !== undefined && (!isKnown || before !== undefined);
  }

  async #look({ properties, finding, policy }: Found, now: Date): Promise<Looked | Failure> {
    if (finding.kind === 'opted-out') return this.#lookAtUnmanaged(properties, now);
    const { name } = properties;
    const { seen, signal } = this.#kept;
    const work = { deps: this.#deps.engine, vault: this.#vault, signal };
    const may = policy !== undefined && mayShare(policy);
    const looked = await lookAtSecret(work, properties, may);
    seen.delete(keyOfName(name));
    if (isFailure(looked)) return looked.class === 'retry' ? looked : { kind: 'looked', names: [] };
    const { published } = looked;
    if (published.kind === 'none') return this.#keepSharing(name, { others: [], ownLogsIn: true });
    const found = await findSharing(work, published);
    if (isFailure(found)) return found;
    return this.#keepSharing(name, await provenSharing(work, published, found.others));
  }

  /** Both sides are told of each other; one that only names the login is in nobody's way. */
  async #keepSharing(name: string, { others, ownLogsIn }: Sharing) {
    const vault = this.#vault.name;
    const own = { vault, secret: name };
    const with_ = namesOfOthers(vault, others);
    const changed = [
      await this.#change(own, ({ optedOut: _back, sharedWith: _before, ...rest }) => ({
        ...rest,
        ...(with_.length === 0 ? {} : { sharedWith: with_ }),
      })),
    ];
    for (const other of ownLogsIn ? others : []) {
      const [me = ''] = namesOfOthers(other.vault, [own]);
      changed.push(
        await this.#change(other, (before) => ({
          ...before,
          sharedWith: [...new Set([...(before.sharedWith ?? []), me])].sort(),
        })),
      );
    }
    const failed = changed.find(isFailure);
    if (failed !== undefined) return failed;
    return {
      kind: 'looked' as const,
      names: [own, ...others].filter((one) => one.vault === vault).map((one) => one.secret),
    };
  }

  async #change(place: SecretPlace, change: (before: Irregular) => Irregular) {
    const { irregular } = this.#kept;
    const isHere = place.vault === this.#vault.name;
    const key = place.secret.toLowerCase();
    const before = isHere ? (irregular.get(key) ?? {}) : undefined;
    const after = before === undefined ? undefined : change(before);
    if (before !== undefined && isAlike(before, after)) return { kind: 'kept' as const };
    if (after !== undefined && !isAlike({}, after)) irregular.set(key, after);
    else if (isHere) irregular.delete(key);
    return this.#deps.irregularities.change(place, change);
  }

  async #lookAtUnmanaged({ name }: SecretProperties, now: Date): Promise<Looked | Failure> {
    const place = { vault: this.#vault.name, secret: name };
    const listed = await this.#vault.versions(name, { signal: this.#kept.signal });
    if (isFailure(listed)) return listed;
    const [newest] = listed.versions;
    const origin = newest === undefined ? undefined : originOf(listed.versions, newest.version);
    const optedOut = origin?.kind === 'opted-out';
    const forgotten = await this.#deps.engine.logins.forget(place);
    if (isFailure(forgotten)) return forgotten;
    this.#kept.seen.delete(keyOfName(name));
    const changed = await this.#change(place, () => (optedOut ? { optedOut } : {}));
    if (isFailure(changed)) return changed;
    const stamp = origin?.kind === 'opted-out' ? readStamp(origin.managed.tags) : undefined;
    const isOver = isRetirementOpen(stamp) && now >= stamp.retireBy;
    const ending = isOver ? { ending: { secret: name, rotationId: stamp.rotationId } } : {};
    return { kind: 'looked', names: optedOut ? [name] : [], ...ending };
  }

  /** The whole vault was walked: what was not met is gone. */
  async end(): Promise<Failure | undefined> {
    const { seen } = this.#kept;
    const { logins } = this.#deps.engine;
    if (seen.size > 0) {
      for await (const one of logins.all(this.#vault.name)) {
        if (isFailure(one)) return one;
        if (!seen.has(keyOfName(one.secret))) continue;
        const forgotten = await logins.forget({ vault: this.#vault.name, secret: one.secret });
        if (isFailure(forgotten)) return forgotten;
      }
    }
    if (this.#startedAt === undefined) return undefined;
    const marked = await logins.markComplete(this.#vault.name, this.#startedAt);
    return isFailure(marked) ? marked : undefined;
  }
}

function isAlike(one: Irregular, other: Irregular | undefined): boolean {
  return (
    (one.optedOut ?? false) === (other?.optedOut ?? false) &&
    (one.sharedWith ?? []).join() === (other?.sharedWith ?? []).join()
  );
}
