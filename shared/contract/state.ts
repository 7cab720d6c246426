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

/** What went wrong with a secret lately. A quarantined one is left alone by everything automatic until a person resumes it. */
export interface Trouble {
  readonly kind: 'trouble';
  /** Failed attempts in a row. */
  readonly failures: number;
  readonly quarantined: boolean;
  readonly last?: { readonly code: string; readonly message: string; readonly hint: string; readonly at: Date };
}

/** Failure counts and quarantine. Lost ones mean some more attempts before the next quarantine. */
export interface Attention {
  of(vault: string, secret: string): Promise<Trouble | Failure>;
  /** All secrets of a vault with trouble. A failure ends the listing. */
  all(
    vault: string,
  ): AsyncIterable<{ readonly kind: 'secret'; readonly secret: string; readonly trouble: Trouble } | Failure>;
  /** Counts one more; `quarantineAfter` failures in a row quarantine the secret. */
  failed(
    vault: string,
    secret: string,
    failed: { readonly code: string; readonly message: string; readonly hint: string; readonly at: Date },
    quarantineAfter: number,
  ): Promise<Trouble | Failure>;
  cleared(vault: string, secret: string): Promise<{ readonly kind: 'cleared' } | Failure>;
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
