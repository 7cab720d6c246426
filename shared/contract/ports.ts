/** What the engine needs of the outside world. Adapters live in shared/vault and shared/storage. */
import type { z } from 'zod';
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

/** One page of a vault's listing. */
export interface SecretsPage {
  readonly kind: 'page';
  readonly secrets: readonly SecretProperties[];
  readonly readAt: Date;
  /** Where the next page begins; absent on the last one, and where `after` was not given. */
  readonly next?: string;
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
  /**
   * Pages of all secrets of the vault, 25 a page. A page that cannot be read ends the listing with a failure. `after`: the `next` of a
   * page before, so that a listing can be gone on with later and elsewhere; empty to begin one; it may come from anybody.
   */
  list(options: { signal: AbortSignal; after?: string }): AsyncIterable<SecretsPage | Failure>;
}

/** A time-limited exclusive right to work on one secret, kept alive while the work goes on. */
export interface Lease {
  /** Time in ms for which the lease is certainly held still; 0 or less when it may have been lost. By the worker's monotonic clock. */
  remainingMs(): number;
  /** Gives it back. Never fails for anything the service did: a lease that cannot be released runs out. */
  release(): Promise<void>;
}

/** For how long a lease is given, in ms: what a dead worker held is free again after this. */
export const leaseMs = 30_000;

/** When to look again at what a dead worker may have held, in ms: its lease has run out by then. */
export const afterLeaseMs = leaseMs + 2_000;

export interface Leases {
  /** `busy`: another worker holds it. */
  acquire(
    vault: string,
    secret: string,
  ): Promise<{ readonly kind: 'held'; readonly lease: Lease } | { readonly kind: 'busy' } | Failure>;
}

/** For people: which secrets a worker is at. */
export interface LeasesHeld {
  /** Names of the vault's secrets that are leased at the moment, lower case. */
  held(vault: string): Promise<{ readonly kind: 'held'; readonly secrets: ReadonlySet<string> } | Failure>;
}

/** A queue by its name, with what its messages are. Messages hold no secret value: everybody who may read the storage account sees them. */
export interface QueueOf<Message> {
  readonly name: string;
  readonly schema: z.ZodType<Message>;
}

export interface Enqueued {
  readonly kind: 'enqueued';
  /** Takes the message back while nobody has got it. Never fails: one that stays is delivered and finds its work done. */
  readonly withdraw?: () => Promise<void>;
}

export interface Queues {
  /**
   * Puts a message into the queue; it is delivered at least once. Calling it again puts another one. `delayMs`: hidden for that long, 7
   * days at most (a longer one is a bug of the caller). `secret` is whom the message is about, for the failure.
   */
  enqueue<Message>(
    queue: QueueOf<Message>,
    message: Message,
    options: { readonly secret: string; readonly delayMs?: number },
  ): Promise<Enqueued | Failure>;
}

/** A message that lies in a queue without a trigger. */
export interface LeftMessage {
  /** As it was put there. */
  readonly text: string;
  /** Never fails: a message that stays is taken again. */
  remove(): Promise<void>;
}

/** Queues that no function waits for. */
export interface LeftMessages {
  /** Up to 32 messages, hidden from others for five minutes; none where the queue does not exist. May be called again. */
  take(queue: string): Promise<{ readonly kind: 'taken'; readonly messages: readonly LeftMessage[] } | Failure>;
}

/** How many messages each queue holds, those that are hidden until their time included. About, as the service counts. */
export interface QueueDepths {
  all(): Promise<
    | { readonly kind: 'counted'; readonly queues: readonly { readonly queue: string; readonly messages: number }[] }
    | Failure
  >;
}

/** Whether each service of the app's storage account answers. */
export type StorageParts = Readonly<
  Record<'blob' | 'queue' | 'table', () => Promise<{ readonly kind: 'reached' } | Failure>>
>;

/**
 * What became of one attempt. `awaiting-approval`: nothing yet, a second person has to approve it. `queued`, `running` and `retrying` are not the end: the request is in the queue still, or a worker is at it.
 * `waiting`: the old credential is in use. `paused`, `resumed` and `tagged` (its tags were changed) are what a person did. `rehearsed`: a rotation was
 * tried on a throw-away twin; with a failure where that showed that it would fail.
 */
export const recordOutcomes = [
  'awaiting-approval',
  'queued',
  'running',
  'retrying',
  'rotated',
  'skipped',
  'failed',
  'waiting',
  'retired',
  'paused',
  'resumed',
  'tagged',
  'rehearsed',
] as const;

/** One attempt of a rotation or a retirement, for people. Never read to decide, and never holds a secret value. */
export interface RotationRecord {
  /** Empty where none is known. */
  readonly rotationId: string;
  readonly vault: string;
  readonly secret: string;
  readonly activity: 'rotation' | 'retirement';
  /** Why: in the words of whoever asked, or what made it due. */
  readonly reason: string;
  /** What became of it, in a sentence: why it was left, what allowed the end of a credential, who is in the way. */
  readonly detail?: string;
  /** Who or what asked. */
  readonly requestedBy: string;
  readonly startedAt: Date;
  /** Absent while it runs. */
  readonly endedAt?: Date;
  readonly outcome: (typeof recordOutcomes)[number];
  /** The version that was replaced, and the one that is current; also of an attempt that failed after its publish. */
  readonly from?: string;
  readonly to?: string;
  /** Login, slot or key id of the version that it made. */
  readonly login?: string;
  readonly failure?: { readonly code: string; readonly message: string; readonly hint: string };
  /** When it is tried again. */
  readonly nextTryAt?: Date;
  /** What a person should know although it succeeded. */
  readonly warnings?: readonly string[];
  readonly steps: readonly { readonly name: string; readonly ms: number; readonly outcome: string }[];
}

export interface History {
  /** Keeps the attempt; one of the same rotation and start is replaced, so that it can be written as it goes on. May be called again. */
  record(record: RotationRecord): Promise<{ readonly kind: 'recorded' } | Failure>;
  /** Attempts of one secret, newest first. */
  of(
    vault: string,
    secret: string,
    options: { readonly limit: number },
  ): Promise<{ readonly kind: 'listed'; readonly records: readonly RotationRecord[] } | Failure>;
  /** Attempts of one rotation, newest first; empty where none is known. */
  rotation(
    rotationId: string,
  ): Promise<{ readonly kind: 'listed'; readonly records: readonly RotationRecord[] } | Failure>;
}
