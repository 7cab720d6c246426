import type { ServerPrincipal } from './state.ts';

interface Copy {
  /** As the database knew it when it was copied; undefined when there was no such login. */
  readonly principal: ServerPrincipal;
  readonly until: number;
}

/**
 * What a server remembers of logins besides its catalogue: how many tries in a row were wrong, and, on Azure SQL Database, the copies that
 * each database keeps of the logins of master and renews from time to time.
 */
export class LoginMemory {
  readonly #failures = new Map<number, number>();
  readonly #copies = new Map<string, Copy>();
  /** Wrong passwords in a row that lock a login whose policy is checked; undefined: none do. */
  readonly #lockoutThreshold: number | undefined;
  /** How long a database goes by its copy, in ms. */
  readonly #copyMs: number;

  constructor(about: { readonly lockoutThreshold?: number; readonly copyMs: number }) {
    this.#lockoutThreshold = about.lockoutThreshold;
    this.#copyMs = about.copyMs;
  }

  failed({ id, policyChecked }: ServerPrincipal): void {
    if (policyChecked) this.#failures.set(id, this.failures(id) + 1);
  }

  failures(id: number): number {
    return this.#failures.get(id) ?? 0;
  }

  /** After a login that succeeded, or by UNLOCK. */
  forget(id: number): void {
    this.#failures.delete(id);
  }

  isLocked({ id, policyChecked }: ServerPrincipal): boolean {
    return policyChecked && this.#lockoutThreshold !== undefined && this.failures(id) >= this.#lockoutThreshold;
  }

  /** The login as the database knows it; a login that it does not know yet is looked up. */
  asKnownTo(database: number, name: string, now: number, lookUp: () => ServerPrincipal | undefined) {
    if (this.#copyMs <= 0) return lookUp();
    const key = `${database}/${name.toLowerCase()}`;
    const copy = this.#copies.get(key);
    if (copy !== undefined && copy.until > now) return copy.principal;
    const principal = lookUp();
    if (principal === undefined) return undefined;
    this.#copies.set(key, { principal: structuredClone(principal), until: now + this.#copyMs });
    return principal;
  }

  /** DBCC FLUSHAUTHCACHE. */
  flush(database: number): void {
    for (const key of this.#copies.keys()) if (key.startsWith(`${database}/`)) this.#copies.delete(key);
  }
}
