import type { SecretText } from '../secret-text.ts';

/** A driver's pool with the credential it was made from. */
export interface Opened<Pool> {
  readonly pool: Pool;
  /** Everything of the credential that must not be seen in an error. */
  readonly secrets: readonly SecretText[];
}

/** One driver pool, made from one version of the secret, and the work that is on it. */
export class Generation<Pool> {
  readonly version: string;
  readonly pool: Pool;
  readonly secrets: readonly SecretText[];
  #working = 0;
  #whenIdle: (() => void)[] = [];

  constructor(version: string, opened: Opened<Pool>) {
    this.version = version;
    this.pool = opened.pool;
    this.secrets = opened.secrets;
  }

  /** Units of work on it: queries, and connections handed out. */
  get working(): number {
    return this.#working;
  }

  /** Begins a unit of work. What it gives back ends it; calling that again does nothing. */
  begin(): () => void {
    this.#working += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#working -= 1;
      if (this.#working === 0) for (const done of this.#whenIdle.splice(0)) done();
    };
  }

  /** Resolves once no work is left. Only of use after new work goes elsewhere. */
  async idle(): Promise<void> {
    if (this.#working === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenIdle.push(resolve);
    await promise;
  }
}
