/** Who may ask for what. */

/** `reader` < `operator` < `emergency`: each may do what the one before may. `consumer` stands apart: it may acknowledge and nothing else. */
export const roles = ['reader', 'operator', 'emergency', 'consumer'] as const;

export type Role = (typeof roles)[number];

/** Where a role holds. Both are names with `*` for any characters, separated by commas. */
export interface Scope {
  readonly vaults: string;
  readonly secrets: string;
}

/** A role, and where it holds: everywhere without a scope. */
export interface Grant {
  readonly role: Role;
  readonly scope?: Scope;
}

/** A key of the API. Only the hash of it is known. */
export interface ApiKey extends Grant {
  /** Who holds it. Several keys may bear one name, so that a key can be replaced without a gap. */
  readonly name: string;
  /** SHA-256 of the key, 64 lower-case hex digits. */
  readonly sha256: string;
}

/** How callers of the API are known. Without a key and without a tenant nobody is. */
export interface AccessSettings {
  readonly keys: readonly ApiKey[];
  /** Tokens of this Entra tenant are accepted; undefined: none are. */
  readonly tenant?: { readonly id: string; readonly audiences: readonly string[] };
  /**
   * Bounds of the roles that Entra gives, by the object id of a user, a group or an application, lower case. Entra knows no scope for an app
   * role, so it is kept here; a role that is not bounded here holds everywhere.
   */
  readonly scopes: ReadonlyMap<string, readonly Grant[]>;
  /** Names of consumers by the object id or application id of their identity, lower case. */
  readonly consumers: ReadonlyMap<string, string>;
  /** The platform itself authenticates callers and removes forged headers. */
  readonly platformVouches: boolean;
}
