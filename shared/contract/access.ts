/** Who may ask for what. */

/** `reader` < `operator` < `emergency`: each may do what the one before may. `consumer` stands apart: it may acknowledge and nothing else. */
export const roles = ['reader', 'operator', 'emergency', 'consumer'] as const;

export type Role = (typeof roles)[number];

/** A key of the API. Only the hash of it is known. */
export interface ApiKey {
  /** Who holds it. Several keys may bear one name, so that a key can be replaced without a gap. */
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the key, 64 lower-case hex digits. */
  readonly sha256: string;
}

/** How callers of the API are known. Without a key and without a tenant nobody is. */
export interface AccessSettings {
  readonly keys: readonly ApiKey[];
  /** Tokens of this Entra tenant are accepted; undefined: none are. */
  readonly tenant?: { readonly id: string; readonly audiences: readonly string[] };
  /** Names of consumers by the object id or application id of their identity, lower case. */
  readonly consumers: ReadonlyMap<string, string>;
  /** The platform itself authenticates callers and removes forged headers. */
  readonly platformVouches: boolean;
}
