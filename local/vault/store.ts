/** The secrets of one vault, with their versions and their soft deletion. Knows no HTTP. */
import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import { OrderedIndex } from './ordered-index.ts';

/** One version. Never changed: an update puts a new record in its place. Times in whole seconds since 1970. */
export interface StoredVersion {
  /** 32 hexadecimal characters. */
  readonly id: string;
  /** Position in the order in which the vault made all its versions, from 1. */
  readonly number: number;
  readonly value: string;
  readonly contentType?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly notBeforeSeconds?: number;
  readonly expiresSeconds?: number;
  readonly createdSeconds: number;
  readonly updatedSeconds: number;
}

export interface StoredSecret {
  /** As it was written first: the vault does not tell upper from lower case, but keeps it. */
  readonly name: string;
  readonly versions: ReadonlyMap<string, StoredVersion>;
  /** The version made last; it is current whether enabled or not. */
  readonly newest: StoredVersion;
}

export interface DeletedSecret extends StoredSecret {
  readonly deletedSeconds: number;
  readonly purgeSeconds: number;
}

/** What a caller may say about a version. Absent in a new version: none; absent in an update: as it is. */
export interface VersionInput {
  readonly contentType?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly enabled?: boolean;
  readonly notBeforeSeconds?: number;
  readonly expiresSeconds?: number;
}

/** Why a name cannot be used now. */
export type Hindrance = 'deleted' | 'being-deleted' | 'being-recovered';
export type Written =
  | { readonly kind: 'written'; readonly secret: StoredSecret; readonly version: StoredVersion }
  | { readonly kind: 'hindered'; readonly by: Hindrance };

/** Told after each change, in the same turn. */
export interface StoreListener {
  created(secret: StoredSecret, version: StoredVersion): void;
  /** The expiry of a version may have changed, or the secret came back. */
  rescheduled(secret: StoredSecret, version: StoredVersion): void;
}

interface Entry extends StoredSecret {
  readonly versions: Map<string, StoredVersion>;
  newest: StoredVersion;
  sequence: number;
  /** Until then a deletion or recovery is not complete, by the vault's clock. */
  settlesMs: number;
  /** Ids in the order they are listed; absent after a change. */
  listing?: readonly string[];
}

interface DeletedEntry extends Entry {
  readonly deletedSeconds: number;
  readonly purgeSeconds: number;
}

export interface StoreOptions {
  readonly clock: Clock;
  readonly recoverableDays: number;
  /** How long a deletion or recovery takes, in ms of the vault's clock. */
  readonly settleMs: number;
  readonly numberVersion: () => number;
  readonly listener: StoreListener;
}

const secondsPerDay = 86_400;

export class SecretStore {
  readonly #options: StoreOptions;
  readonly #active = new Map<string, Entry>();
  readonly #activeOrder = new OrderedIndex<Entry>();
  readonly #deleted = new Map<string, DeletedEntry>();
  readonly #deletedOrder = new OrderedIndex<DeletedEntry>();
  /** Names that a purge still holds, until when in ms. */
  readonly #purging = new Map<string, number>();

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#active.size;
  }

  /** Makes a version that is current at once. */
  set(name: string, value: string, input: VersionInput): Written {
    const by = this.#hindrance(name);
    if (by !== undefined) return { kind: 'hindered', by };
    const nowSeconds = this.#options.clock.nowSeconds();
    const version: StoredVersion = {
      enabled: true,
      ...input,
      id: randomUUID().replaceAll('-', ''),
      number: this.#options.numberVersion(),
      value,
      createdSeconds: nowSeconds,
      updatedSeconds: nowSeconds,
    };
    const key = name.toLowerCase();
    const known = this.#active.get(key);
    const secret: Entry = known ?? { name, versions: new Map(), newest: version, sequence: 0, settlesMs: 0 };
    secret.versions.set(version.id, version);
    secret.newest = version;
    delete secret.listing;
    if (known === undefined) this.#activate(key, secret);
    this.#options.listener.created(secret, version);
    return { kind: 'written', secret, version };
  }

  find(name: string): StoredSecret | undefined {
    const entry = this.#active.get(name.toLowerCase());
    return entry !== undefined && this.#settled(entry) ? entry : undefined;
  }

  /** Changes what `input` names of one version, the newest where none is named. */
  update(
    secret: StoredSecret,
    version: StoredVersion,
    input: VersionInput,
  ): { readonly secret: StoredSecret; readonly version: StoredVersion } {
    const entry = this.#active.get(secret.name.toLowerCase());
    if (entry === undefined) throw new Error(`update of ${secret.name}, which is not in the store`);
    const next = { ...version, ...input, updatedSeconds: this.#options.clock.nowSeconds() };
    entry.versions.set(next.id, next);
    if (entry.newest.id === next.id) entry.newest = next;
    this.#options.listener.rescheduled(entry, next);
    return { secret: entry, version: next };
  }

  page(cursor: number, limit: number): { readonly items: readonly StoredSecret[]; readonly next?: number } {
    const { items, next } = this.#activeOrder.page(cursor, limit);
    return { items: items.filter((entry) => this.#settled(entry)), ...(next === undefined ? {} : { next }) };
  }

  /** Sorted by id, which is random: the service lists versions in no time order either. */
  versionPage(
    secret: StoredSecret,
    after: string,
    limit: number,
  ): { readonly items: readonly StoredVersion[]; readonly next?: string } {
    const entry = this.#active.get(secret.name.toLowerCase());
    const ids = entry?.listing ?? [...secret.versions.keys()].sort();
    if (entry !== undefined) entry.listing = ids;
    let from = 0;
    for (let high = ids.length; from < high; ) {
      const middle = (from + high) >>> 1;
      if ((ids[middle] ?? '') <= after) from = middle + 1;
      else high = middle;
    }
    const page = ids.slice(from, from + limit);
    const items = page.flatMap((id) => secret.versions.get(id) ?? []);
    const last = page.at(-1);
    return { items, ...(last !== undefined && from + limit < ids.length ? { next: last } : {}) };
  }

  delete(secret: StoredSecret): DeletedSecret {
    const key = secret.name.toLowerCase();
    const entry = this.#active.get(key);
    if (entry === undefined) throw new Error(`deletion of ${secret.name}, which is not in the store`);
    const { clock, recoverableDays, settleMs } = this.#options;
    const deletedSeconds = clock.nowSeconds();
    this.#active.delete(key);
    this.#activeOrder.remove(entry.sequence);
    const deleted: DeletedEntry = {
      ...entry,
      deletedSeconds,
      purgeSeconds: deletedSeconds + recoverableDays * secondsPerDay,
      settlesMs: clock.nowMs() + settleMs,
    };
    deleted.sequence = this.#deletedOrder.add(deleted);
    this.#deleted.set(key, deleted);
    return deleted;
  }

  /** Absent while the deletion is not complete. */
  findDeleted(name: string): DeletedSecret | undefined {
    this.#purgeDue();
    const entry = this.#deleted.get(name.toLowerCase());
    return entry !== undefined && this.#settled(entry) ? entry : undefined;
  }

  deletedPage(cursor: number, limit: number): { readonly items: readonly DeletedSecret[]; readonly next?: number } {
    this.#purgeDue();
    const { items, next } = this.#deletedOrder.page(cursor, limit);
    return { items: items.filter((entry) => this.#settled(entry)), ...(next === undefined ? {} : { next }) };
  }

  recover(deleted: DeletedSecret): StoredSecret {
    const key = deleted.name.toLowerCase();
    const entry = this.#takeDeleted(key);
    const { clock, settleMs } = this.#options;
    const secret: Entry = {
      name: entry.name,
      versions: entry.versions,
      newest: entry.newest,
      sequence: 0,
      settlesMs: clock.nowMs() + settleMs,
    };
    this.#activate(key, secret);
    this.#options.listener.rescheduled(secret, secret.newest);
    return secret;
  }

  purge(deleted: DeletedSecret): void {
    const key = deleted.name.toLowerCase();
    this.#takeDeleted(key);
    const { clock, settleMs } = this.#options;
    if (settleMs > 0) this.#purging.set(key, clock.nowMs() + settleMs);
  }

  /** Brings a backup back with the ids and times it had. */
  restore(name: string, versions: readonly StoredVersion[]): Written | { readonly kind: 'exists' } {
    const by = this.#hindrance(name);
    if (by !== undefined) return { kind: 'hindered', by };
    const key = name.toLowerCase();
    const newest = versions.at(-1);
    if (newest === undefined || this.#active.has(key)) return { kind: 'exists' };
    const byId = new Map(versions.map((version) => [version.id, version]));
    const secret: Entry = { name, versions: byId, newest, sequence: 0, settlesMs: 0 };
    this.#activate(key, secret);
    this.#options.listener.rescheduled(secret, newest);
    return { kind: 'written', secret, version: newest };
  }

  /** What keeps a name from being used, if anything. */
  #hindrance(name: string): Hindrance | undefined {
    this.#purgeDue();
    const key = name.toLowerCase();
    const deleted = this.#deleted.get(key);
    if (deleted !== undefined) return this.#settled(deleted) ? 'deleted' : 'being-deleted';
    const active = this.#active.get(key);
    if (active !== undefined && !this.#settled(active)) return 'being-recovered';
    const purgingUntil = this.#purging.get(key);
    if (purgingUntil === undefined) return undefined;
    if (this.#options.clock.nowMs() < purgingUntil) return 'being-deleted';
    this.#purging.delete(key);
    return undefined;
  }

  /** Why a deletion, recovery or purge of a deleted name is not possible yet. */
  deletedHindrance(name: string): 'being-deleted' | undefined {
    return this.#hindrance(name) === 'being-deleted' ? 'being-deleted' : undefined;
  }

  clear(): void {
    this.#active.clear();
    this.#activeOrder.clear();
    this.#deleted.clear();
    this.#deletedOrder.clear();
    this.#purging.clear();
  }

  #activate(key: string, entry: Entry): void {
    entry.sequence = this.#activeOrder.add(entry);
    this.#active.set(key, entry);
  }

  #takeDeleted(key: string): DeletedEntry {
    const entry = this.#deleted.get(key);
    if (entry === undefined) throw new Error('the deleted secret is not in the store');
    this.#deleted.delete(key);
    this.#deletedOrder.remove(entry.sequence);
    return entry;
  }

  #settled(entry: Entry): boolean {
    return entry.settlesMs <= this.#options.clock.nowMs();
  }

  /** Secrets come into the map as they are deleted, so the first ones are due first as long as the clock runs on. */
  #purgeDue(): void {
    const nowSeconds = this.#options.clock.nowSeconds();
    for (const [key, entry] of this.#deleted) {
      if (entry.purgeSeconds > nowSeconds) return;
      this.#takeDeleted(key);
    }
  }
}
