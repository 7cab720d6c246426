/** What the engine needs of the outside world. Adapters live in shared/vault and shared/storage. */
import type { Failure } from '../errors.ts';
import type { SecretText } from './secret-text.ts';

export type Tags = Readonly<Record<string, string>>;

/** One version of a secret without its value, as a listing gives it. Times are the vault's. */
export interface SecretProperties {
  readonly name: string;
  /** Absent in a listing of names. */
  readonly version?: string;
  readonly enabled: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt?: Date;
  readonly notBefore?: Date;
  readonly contentType?: string;
  readonly tags: Tags;
}

export interface SecretVersion extends SecretProperties {
  readonly version: string;
  readonly value: SecretText;
  /** The vault's own clock when it answered, to a second. Due and expiry are judged by it, never by the worker's clock. */
  readonly readAt: Date;
}

export type ReadOutcome =
  | { readonly kind: 'found'; readonly secret: SecretVersion }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'disabled' }
  | Failure;

export type WriteOutcome =
  | { readonly kind: 'written'; readonly secret: SecretProperties & { readonly version: string } }
  | Failure;

/** The properties of a version to be made. Absent means: the vault's default. */
export interface NewVersion {
  readonly value: SecretText;
  readonly tags: Tags;
  readonly contentType?: string;
  readonly expiresAt?: Date;
  readonly notBefore?: Date;
  readonly enabled?: boolean;
}

/** What may change of a version that stands. Absent means: as it is. */
export interface VersionChange {
  readonly enabled?: boolean;
  readonly tags?: Tags;
}

/**
 * One Azure Key Vault. Throttling is waited out inside, as long as the signal allows; what remains is returned as a failure of class
 * `retry`. There is no compare-and-set: the service has none.
 */
export interface Vault {
  /** Name as in events and settings: the first label of its host. */
  readonly name: string;
  /** The newest version, or one named. May be called again. */
  read(name: string, options: { version?: string; signal: AbortSignal }): Promise<ReadOutcome>;
  /** Makes a version that is current at once. Calling it again makes another version. A soft-deleted name is recovered first. */
  write(name: string, version: NewVersion, options: { signal: AbortSignal }): Promise<WriteOutcome>;
  /** May be called again. */
  change(name: string, version: string, change: VersionChange, options: { signal: AbortSignal }): Promise<WriteOutcome>;
  /** All versions, newest first by creation (the service lists them in no order). */
  versions(
    name: string,
    options: { signal: AbortSignal },
  ): Promise<
    | { readonly kind: 'listed'; readonly versions: readonly (SecretProperties & { readonly version: string })[] }
    | Failure
  >;
  /** Pages of all secrets of the vault, 25 a page. A page that cannot be read ends the listing with a failure. */
  list(options: {
    signal: AbortSignal;
  }): AsyncIterable<
    { readonly kind: 'page'; readonly secrets: readonly SecretProperties[]; readonly readAt: Date } | Failure
  >;
}

/** A time-limited exclusive right to work on one secret, kept alive while the work goes on. */
export interface Lease {
  /** Time in ms for which the lease is certainly held still; 0 or less when it may have been lost. By the worker's monotonic clock. */
  remainingMs(): number;
  /** Gives it back. Never fails: a lease that cannot be released runs out. */
  release(): Promise<void>;
}

export interface Leases {
  /** `busy`: another worker holds it. */
  acquire(
    vault: string,
    secret: string,
  ): Promise<{ readonly kind: 'held'; readonly lease: Lease } | { readonly kind: 'busy' } | Failure>;
}
