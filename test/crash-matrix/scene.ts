/** One secret of the crash matrix with its login: what the judge looks at. */
import type { VaultEmulator } from '../../local/vault/index.ts';
import type { RotationRecord } from '../../shared/contract/ports.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
import { pendingNameOf, shortHash } from '../../shared/engine/policy/identifiers.ts';
import { isFailure } from '../../shared/errors.ts';
import type { TableHistory } from '../../shared/storage/table-history.ts';
import type { Made } from './protocol.ts';
import type { OpenSession, Planted } from './target.ts';

export interface Ground {
  readonly vault: VaultEmulator;
  readonly otherVault: VaultEmulator;
  readonly history: Pick<TableHistory, 'of'>;
}

type Version = ReturnType<VaultEmulator['versions']>[number];

export class Scene {
  readonly name: string;
  readonly strategy: Strategy;
  readonly planted: Planted;
  /** The value of the first version. */
  readonly first: string;
  readonly #ground: Ground;
  readonly #made = new Map<string, Made>();
  #session: OpenSession | undefined;

  constructor(ground: Ground, name: string, strategy: Strategy, planted: Planted) {
    this.#ground = ground;
    this.name = name;
    this.strategy = strategy;
    this.planted = planted;
    this.first = planted.value;
  }

  /** The id of a request about this secret. */
  id(of: 'rotation' | 'roll-back' | 'emergency'): string {
    return shortHash(this.name, of);
  }

  versions(): readonly Version[] {
    return this.#ground.vault.versions(this.name);
  }

  newest(): Version {
    const newest = this.versions().at(-1);
    if (newest === undefined) throw new Error(`no version of ${this.name}`);
    return newest;
  }

  current(): string {
    return this.newest().value;
  }

  copies(): readonly Version[] {
    return this.#ground.otherVault.versions(this.name);
  }

  pending(): readonly Version[] {
    return this.#ground.vault.versions(pendingNameOf(this.name));
  }

  login(value: string): Promise<boolean> {
    return this.planted.login(this.planted.credentialIn(value));
  }

  async intrude(): Promise<void> {
    const { openSession, credentialIn } = this.planted;
    this.#session = await openSession?.(credentialIn(this.first));
  }

  async sessionAlive(): Promise<boolean> {
    const alive = (await this.#session?.alive()) ?? false;
    await this.#session?.close();
    this.#session = undefined;
    return alive;
  }

  async history(): Promise<readonly RotationRecord[]> {
    const listed = await this.#ground.history.of('local', this.name, { limit: 50 });
    if (isFailure(listed)) throw new Error(listed.message);
    return listed.records;
  }

  remember(made: readonly Made[]): void {
    for (const one of made) this.#made.set(`${one.username}\n${one.password}`, one);
  }

  /** Right after the kill: what consumers read logs in. The one exception is `single-user` whose target holds the stored candidate. */
  async judgeBetween(): Promise<readonly string[]> {
    if (await this.login(this.current())) return [];
    const stored = this.pending().at(-1)?.value;
    if (this.strategy === 'single-user' && stored !== undefined && (await this.login(stored))) return [];
    return ['after the kill nothing that the vault holds logs in'];
  }

  /** In the end: what every work has in common. `stored`: the candidate that was stored when the worker was killed. */
  async judgeAlways(stored: string | undefined): Promise<readonly string[]> {
    const wrong: string[] = [];
    if (!(await this.login(this.current()))) wrong.push('the current version does not log in');
    const { pending } = strategyTraits[this.strategy];
    const kept = stored === undefined || this.versions().some(({ value }) => this.#same(value, stored));
    if (pending === 'before-apply' && !kept) wrong.push('the stored password was not the one that was published');
    return [...wrong, ...(await this.#unknown())];
  }

  /** Credentials that log in although no version holds them. */
  async #unknown(): Promise<readonly string[]> {
    if (!strategyTraits[this.strategy].hasTarget) return [];
    const { credentialIn, login, keys } = this.planted;
    const known = new Set(
      [...this.versions(), ...this.pending()].map(({ value }) => credentialIn(value).password.reveal()),
    );
    const wrong: string[] = [];
    for (const { username, password } of this.#made.values()) {
      if (known.has(password)) continue;
      const credential = { password: new SecretText(password), ...(username === undefined ? {} : { username }) };
      if (await login(credential)) wrong.push('a credential logs in that no version holds');
    }
    if (keys?.().some((key) => !known.has(key))) wrong.push('the provider holds a key that no version holds');
    return wrong;
  }

  #same(one: string, other: string): boolean {
    const { credentialIn } = this.planted;
    return credentialIn(one).password.reveal() === credentialIn(other).password.reveal();
  }

  async close(): Promise<void> {
    await this.#session?.close();
    this.#session = undefined;
  }
}
