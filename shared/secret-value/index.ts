/**
 * Finds the credential inside a secret's value and replaces it in place: nothing else of the value changes by a byte.
 *
 * Formats: `raw` (the value is the password), `json`, `uri`, `libpq` (key/value), `ado-net`, `stackexchange-redis`.
 */
import type { Credential } from '../contract/credential.ts';
import type { Endpoint } from '../contract/rotator.ts';
import type { SecretText } from '../contract/secret-text.ts';

export const formats = ['raw', 'json', 'uri', 'libpq', 'ado-net', 'stackexchange-redis'] as const;
export type Format = (typeof formats)[number];

/** A value that was read. */
export interface SecretValue {
  readonly format: Format;
  /** `username` is absent where the value names none. */
  readonly credential: Credential;
  /** Absent where the value names no host. Host names are lower case; port only where the value says one. */
  readonly endpoint?: Endpoint;
  /** The same value with another credential, every other byte kept. Fails (with a sentence) when the value has no place for it. */
  replace(
    next: Credential,
  ):
    | { readonly kind: 'replaced'; readonly value: SecretText }
    | { readonly kind: 'unreplaceable'; readonly detail: string };
}

export type ParseOutcome =
  | { readonly kind: 'parsed'; readonly value: SecretValue }
  /** `detail` says what is wrong, and where, without quoting any of the value. */
  | { readonly kind: 'unreadable'; readonly detail: string };

export declare function parseSecretValue(
  value: SecretText,
  hint: { readonly format?: Format; readonly contentType?: string },
): ParseOutcome;
