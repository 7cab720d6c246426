/**
 * Who uses a secret in this process: the pools made from it. A version is in use once each of them says so; that is when it may be
 * acknowledged.
 */
export class Users {
  readonly #versions = new Map<object, string | undefined>();
  readonly #onInUse: (version: string) => void;

  constructor(onInUse: (version: string) => void) {
    this.#onInUse = onInUse;
  }

  /** Adds a user that uses nothing yet. */
  join(): User {
    const user = {};
    this.#versions.set(user, undefined);
    return {
      inUse: (version) => {
        if (!this.#versions.has(user)) return;
        this.#versions.set(user, version);
        this.#look();
      },
      leave: () => {
        this.#versions.delete(user);
        this.#look();
      },
    };
  }

  #look(): void {
    const [version, ...others] = new Set(this.#versions.values());
    if (version !== undefined && others.length === 0) this.#onInUse(version);
  }
}

export interface User {
  /** This version is used, and no connection of an earlier one is left. May be called again. */
  inUse(version: string): void;
  /** It uses nothing any more, and nobody waits for it. May be called again. */
  leave(): void;
}
