/**
 * What must hold where others write, too: no version that Keyturn published or accepted fails to log in, nothing that another secret publishes
 * is taken away, no copy is given what does not log in, and every other version that fails is told as drifted.
 */
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
import { adoptionIdOf, pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import { readRequested } from '../../shared/engine/policy/requested.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { type At, copiesOf, heldBy } from './copied-world.ts';
import { PromiseBroken } from './promises.ts';
import { copyKey, isCredential, otherSecret, type SimulatedWriters } from './simulated-writers.ts';
import { credentialIn, type World } from './world.ts';

type Stored = ReturnType<World['vault']['newest']>;

export class WriterPromises {
  /** Versions of others that Keyturn said log in. */
  readonly adopted = new Set<string>();
  /** Versions that people were told of as drifted. */
  readonly drifted = new Set<string>();
  /** Codes of failures that people were told of, by the version that was current then. */
  readonly failures = new Map<string, Set<string>>();
  /** Somebody asked for what cuts an overlap short. */
  hasty = false;
  readonly #world: World;
  readonly #strategy: Strategy;
  readonly #writers: SimulatedWriters;
  readonly #copies: readonly At[];
  /** Versions of copies that were looked at when they were written. */
  readonly #seen = new Set<string>();
  #madeRoom = false;
  #broken: PromiseBroken | undefined;

  constructor(world: World, strategy: Strategy, writers: SimulatedWriters, hasCopies: boolean) {
    this.#world = world;
    this.#strategy = strategy;
    this.#writers = writers;
    this.#copies = hasCopies ? copiesOf(world) : [];
    for (const copy of this.#copies) this.#seen.add(copyKey(copy, copy.vault.newest(copy.name).version));
  }

  /** The first promise that was broken: what a worker tidies up after it may break more. */
  get broken(): PromiseBroken | undefined {
    return this.#broken;
  }

  break(what: string): PromiseBroken {
    this.#broken ??= new PromiseBroken(what);
    return this.#broken;
  }

  /** Keyturn published it, or said that it logs in. */
  #isVouchedFor({ version }: Stored): boolean {
    return !this.#writers.theirs.has(version) || this.adopted.has(version);
  }

  logsIn({ value }: Pick<Stored, 'value'>): boolean {
    return isCredential(value) && this.#world.target.accepts(credentialIn(value));
  }

  /** After every effect of a worker. */
  look(call: string): void {
    this.#currentLogsIn(call);
    this.#otherLogsIn(call);
    this.#newCopiesLogIn(call);
    if (call === 'rotator.retire' && !this.hasty) this.#copiesLogIn(call);
  }

  #currentLogsIn(call: string): void {
    const { vault, secret } = this.#world;
    const newest = vault.newest(secret);
    const stands = (vault.secrets.get(secret) ?? []).some(({ tags }) => readRequested(tags).emergency !== undefined);
    this.#madeRoom = stands && (this.#madeRoom || call === 'rotator.retire');
    if (!this.#isVouchedFor(newest) || this.logsIn(newest) || this.#madeRoom) return;
    if (this.#isBeingReplaced(secret)) return;
    throw this.break(`after ${call}: version ${newest.version} was vouched for and does not log in`);
  }

  /** The one exception: between the change at the target and the publish. */
  #isBeingReplaced(secret: string): boolean {
    const pending = this.#world.vault.secrets.get(pendingNameOf(secret)) ?? [];
    return this.#strategy === 'single-user' && pending.some((each) => each.enabled && this.logsIn(each));
  }

  #otherLogsIn(call: string): void {
    const other = this.#world.vault.secrets.get(otherSecret)?.at(-1);
    if (other === undefined || !this.#writers.shares || this.logsIn(other)) return;
    // It is rotated itself where the first secret publishes nothing that logs in.
    if (this.#isBeingReplaced(otherSecret)) return;
    throw this.break(`after ${call}: ${otherSecret} lost its login`);
  }

  /** What Keyturn brings to a copy was proven before. */
  #newCopiesLogIn(call: string): void {
    for (const copy of this.#copies) {
      const key = copyKey(copy, copy.vault.newest(copy.name).version);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      if (this.#isOurs(copy) && !this.#holdsLive(copy))
        throw this.break(`after ${call}: what was brought to ${copy.vault.name}/${copy.name} does not log in`);
    }
  }

  #copiesLogIn(call: string): void {
    if (!strategyTraits[this.#strategy].oldLives || this.#isLeftToTheOther()) return;
    const dead = this.#copies.find((copy) => this.#isOurs(copy) && !this.#holdsLive(copy));
    if (dead !== undefined) throw this.break(`after ${call}: what ${dead.vault.name}/${dead.name} holds was ended`);
  }

  /**
   * A source whose newest version lost its tags is nobody's until it is adopted, and so are its copies: the other secret of the login was
   * rotated then. docs/reliability.md does not promise more.
   */
  #isLeftToTheOther(): boolean {
    const { vault, secret } = this.#world;
    const other = vault.secrets.get(otherSecret)?.at(-1);
    return vault.newest(secret).tags['rotator'] === undefined && readStamp(other?.tags ?? {}) !== undefined;
  }

  #isOurs(copy: At): boolean {
    return !this.#writers.theirCopies.has(copyKey(copy, copy.vault.newest(copy.name).version));
  }

  #holdsLive(copy: At): boolean {
    const { value } = copy.vault.newest(copy.name);
    const credential = isCredential(value) ? credentialIn(value) : { password: new SecretText(heldBy(copy)) };
    return this.#world.target.accepts(credential);
  }

  /** What the event of a version led to. `before`: the version that was current when it was made. */
  arrived(version: string, before: string | undefined, outcome: string): void {
    const isTheirs = this.#writers.theirs.has(version);
    const { vault, secret } = this.#world;
    const made = vault.secrets.get(secret)?.find((each) => each.version === version);
    const stamp = readStamp(made?.tags ?? {});
    if (isTheirs && outcome === 'ours') {
      // It was accepted before, and says so since.
      if (stamp?.rotationId !== adoptionIdOf(vault.name, secret, version))
        throw this.break(`version ${version} of somebody else passes for our own`);
      this.adopted.add(version);
    }
    const followsOn = stamp?.from === before && before !== undefined;
    if (!isTheirs && followsOn && outcome === 'adopted')
      throw this.break(`our own version ${version} was taken for somebody else’s`);
  }

  /** Nobody has to wait for the news of the current version: it logs in, or people know that it does not. */
  isKnown(): boolean {
    const { vault, secret } = this.#world;
    const newest = vault.newest(secret);
    return this.logsIn(newest) || newest.tags['rotator'] === undefined || this.drifted.has(newest.version);
  }

  /** The faults have stopped, and the sweeps and the daily checks have been. */
  atRest(): void {
    this.look('everything');
    const { vault, secret } = this.#world;
    const newest = vault.newest(secret);
    // The daily check says of a value without a credential what is wrong with it.
    const isUnreadable = this.failures.get(newest.version)?.has('value-unreadable') === true;
    if (!this.isKnown() && !isUnreadable)
      throw this.break(`at rest: nobody was told that version ${newest.version} does not log in`);
    if (!this.#isVouchedFor(newest) || !this.logsIn(newest)) return;
    for (const copy of this.#copies) this.#copyIsCurrent(copy, newest);
  }

  #copyIsCurrent(copy: At, { version }: Stored): void {
    if (!this.#isOurs(copy)) return;
    const codes = this.failures.get(version) ?? new Set();
    const isTold = [...codes].some((code) => code.startsWith('copy-') || code === 'login-shared');
    const isCurrent = heldBy(copy) === this.#world.current().password.reveal();
    if (!isCurrent && !isTold)
      throw this.break(`at rest: ${copy.vault.name}/${copy.name} does not hold what its source holds`);
  }
}
