/**
 * What is kept in the storage account besides history. Losing any of it costs a wait, a duplicate or a few more attempts, never a
 * credential. Nothing here holds a secret value. Every method may be called again.
 */
import type { Failure } from '../errors.ts';

/** Marks of what was done once, by key. A lost mark means that it is done again, and receivers drop the duplicate. */
export interface Marks {
  has(key: string): Promise<{ readonly kind: 'known'; readonly marked: boolean } | Failure>;
  put(key: string): Promise<{ readonly kind: 'marked' } | Failure>;
}

/** Versions that this process has looked at already, so that a duplicate of an event costs nothing. Losing it costs a look. */
export interface SeenVersions {
  has(key: string): boolean;
  add(key: string): void;
}

/** Which consumers use a version. Lost ones make a retirement wait for its deadline. */
export interface Acknowledgements {
  add(
    vault: string,
    secret: string,
    version: string,
    consumer: string,
    at: Date,
  ): Promise<{ readonly kind: 'added' } | Failure>;
  of(
    vault: string,
    secret: string,
    version: string,
  ): Promise<{ readonly kind: 'acknowledged'; readonly consumers: ReadonlyMap<string, Date> } | Failure>;
}

/** What is done with a secret without anybody asking. Each fails, and is healed, apart from the others. */
export const activities = ['rotation', 'retirement', 'check'] as const;

export type Activity = (typeof activities)[number];

/** One failed try. */
export interface FailedTry {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly at: Date;
}

/** What goes wrong with one activity of a secret, and when it is tried again. */
export interface ActivityTrouble {
  /** Failures in a row that somebody may have to do something about; 0 while it is only retried. */
  readonly failures: number;
  /** Tries in a row since then that failed in a way that passes by itself. */
  readonly retries: number;
  /** When the first of them failed. What comes back after it was healed began later, and is told again. */
  readonly since: Date;
  readonly last: FailedTry;
  /** When it is tried again without anybody asking; absent: when somebody asks. */
  readonly nextTryAt?: Date;
  /** It failed so often, or trying again would do such harm, that it is left alone until `nextTryAt`. */
  readonly paused: boolean;
  /** The target took a credential that no version holds; the next try overwrites, drops or revokes it. */
  readonly unpublished: boolean;
}

/** What goes wrong with a secret, by activity. Nothing where all is well. */
export interface Trouble {
  readonly kind: 'trouble';
  readonly rotation?: ActivityTrouble;
  readonly retirement?: ActivityTrouble;
  readonly check?: ActivityTrouble;
  /** Sessions and consumers that were seen on the old credential when its end was last looked at. */
  readonly waitsFor?: readonly string[];
  /** What the newest rotation warned of: whole sentences, each with an order. It stands until the next rotation. */
  readonly reminders?: readonly string[];
}

/** What follows from one more failure, once it is known how many there were in a row. */
export type NextTry = (counts: { readonly failures: number; readonly retries: number }) => {
  readonly at: Date | undefined;
  readonly paused: boolean;
};

/** Failures and when they are tried again. Lost ones mean that something is tried sooner than planned. */
export interface Attention {
  of(vault: string, secret: string): Promise<Trouble | Failure>;
  /** All secrets of a vault with trouble, or whose old credential is in use. A failure ends the listing. */
  all(
    vault: string,
  ): AsyncIterable<{ readonly kind: 'secret'; readonly secret: string; readonly trouble: Trouble } | Failure>;
  /**
   * Keeps one more failed try of an activity. `counts`: it is a failure of the secret; otherwise it is only retried. `next` is pure, and
   * may be asked more than once. What the secret's trouble is now.
   */
  failed(
    vault: string,
    secret: string,
    activity: Activity,
    failed: FailedTry & { readonly counts: boolean; readonly unpublished: boolean },
    next: NextTry,
  ): Promise<Trouble | Failure>;
  /** Who is on the old credential; nobody: none is seen any more. */
  waits(vault: string, secret: string, waitsFor: readonly string[]): Promise<{ readonly kind: 'kept' } | Failure>;
  /** What a rotation that succeeded warned of; nothing: what stood before is over. */
  reminds(vault: string, secret: string, reminders: readonly string[]): Promise<{ readonly kind: 'kept' } | Failure>;
  /** The activity succeeded, or a person has looked. */
  cleared(vault: string, secret: string, activity: Activity): Promise<{ readonly kind: 'cleared' } | Failure>;
}

/**
 * What a sweep has told people of a secret, for as long as it holds: told once, and again when it comes back after it was gone. A lost one
 * is told once more.
 */
export interface ToldBefore {
  /** All of a vault. A failure ends the listing. */
  all(
    vault: string,
  ): AsyncIterable<{ readonly kind: 'told'; readonly secret: string; readonly what: string } | Failure>;
  add(vault: string, secret: string, what: string): Promise<{ readonly kind: 'kept' } | Failure>;
  remove(vault: string, secret: string, what: string): Promise<{ readonly kind: 'kept' } | Failure>;
}

/** When the sweep was through with a vault, for people. Lost, it is not known until the next sweep. */
export interface SweepTimes {
  of(vault: string): Promise<{ readonly kind: 'known'; readonly at: Date | undefined } | Failure>;
  keep(vault: string, at: Date): Promise<{ readonly kind: 'kept' } | Failure>;
}

/** A secret by its vault and name. */
export interface SecretPlace {
  readonly vault: string;
  readonly secret: string;
}

/** What was seen of a managed secret. */
export interface SeenSecret {
  /** Tells its newest version and its policy from any other, as a listing shows them. */
  readonly mark: string;
  /** Fingerprints of the logins, pairs or resources that it publishes; none where it has no target. */
  readonly prints: readonly string[];
}

/**
 * Which managed secrets there are, and which logins they publish. A cache: what it says of another secret counts only once that secret was
 * read. Lost, it is filled again from the vaults.
 */
export interface LoginIndex {
  /** All of a vault. A failure ends the listing. */
  all(vault: string): AsyncIterable<({ readonly kind: 'seen'; readonly secret: string } & SeenSecret) | Failure>;
  of(place: SecretPlace): Promise<{ readonly kind: 'known'; readonly seen: SeenSecret | undefined } | Failure>;
  keep(place: SecretPlace, seen: SeenSecret): Promise<{ readonly kind: 'kept' } | Failure>;
  forget(place: SecretPlace): Promise<{ readonly kind: 'kept' } | Failure>;
  /** Who was seen to publish it. */
  holders(print: string): Promise<{ readonly kind: 'holders'; readonly holders: readonly SecretPlace[] } | Failure>;
  /** When all secrets of the vault had been looked at, by the vault's clock; undefined: never, or that was lost. */
  completeAt(vault: string): Promise<{ readonly kind: 'known'; readonly at: Date | undefined } | Failure>;
  /** All vaults of which that is known, by name, in one call. */
  completeVaults(): Promise<{ readonly kind: 'known'; readonly vaults: ReadonlySet<string> } | Failure>;
  markComplete(vault: string, at: Date): Promise<{ readonly kind: 'kept' } | Failure>;
}

/** What is out of the ordinary with a secret and does not stand in its own tags. */
export interface Irregular {
  /** Other secrets of its login, pair or resource. */
  readonly sharedWith?: readonly string[];
  /** It was managed, and its newest version has no tag `rotator`. */
  readonly optedOut?: boolean;
}

/** Few at any time. Lost ones are found again by the sweep. */
export interface Irregularities {
  /** All of a vault. A failure ends the listing. */
  all(vault: string): AsyncIterable<({ readonly kind: 'irregular'; readonly secret: string } & Irregular) | Failure>;
  of(place: SecretPlace): Promise<({ readonly kind: 'irregular' } & Irregular) | Failure>;
  /** `change` is pure, and may be asked more than once. */
  change(place: SecretPlace, change: (before: Irregular) => Irregular): Promise<{ readonly kind: 'kept' } | Failure>;
}

/** Answers given before, by the caller's `Idempotency-Key`. */
export interface IdempotencyKeys {
  /**
   * Takes the key for a request, or gives back what it was taken for. `fingerprint`: a hash of the request, so that one key for two
   * different requests is seen. `at`: when, by the clock of whoever asks.
   */
  claim(
    caller: string,
    key: string,
    fingerprint: string,
    rotationId: string,
    at: Date,
  ): Promise<
    | { readonly kind: 'claimed' }
    | { readonly kind: 'known'; readonly fingerprint: string; readonly rotationId: string; readonly at: Date }
    | Failure
  >;
}

/** The newest rehearsal of a secret. */
export interface RehearsalState {
  readonly begunAt: Date;
  /** Absent while it runs; long after `begunAt`: its worker died, and its twin may be left at the target. */
  readonly endedAt?: Date;
}

/**
 * Rehearsals, so that one that died is finished and the next is known to be due. Lost, the next rehearsal comes sooner and removes what is
 * left.
 */
export interface Rehearsals {
  /** All of a vault. A failure ends the listing. */
  all(
    vault: string,
  ): AsyncIterable<({ readonly kind: 'rehearsal'; readonly secret: string } & RehearsalState) | Failure>;
  keep(place: SecretPlace, state: RehearsalState): Promise<{ readonly kind: 'kept' } | Failure>;
}

/** The switch that stops everything automatic. */
export interface FreezeState {
  readonly kind: 'freeze';
  readonly frozen: boolean;
  readonly by?: string;
  readonly reason?: string;
  readonly since?: Date;
}

export interface Freeze {
  read(): Promise<FreezeState | Failure>;
  set(state: {
    readonly frozen: boolean;
    readonly by: string;
    readonly reason: string;
    readonly at: Date;
  }): Promise<FreezeState | Failure>;
}
