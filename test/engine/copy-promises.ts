/** What must hold of the copies of a secret: after every effect, and at rest. */
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
import { readRequested } from '../../shared/engine/policy/requested.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { type At, copiesOf, heldBy } from './copied-world.ts';
import type { GroundTruth } from './ground-truth.ts';
import { credentialIn, type World } from './world.ts';

export class CopyPromises {
  readonly #world: World;
  readonly #strategy: Strategy;
  readonly #truth: GroundTruth;

  constructor(world: World, strategy: Strategy, truth: GroundTruth) {
    this.#world = world;
    this.#strategy = strategy;
    this.#truth = truth;
  }

  /** What is broken, in words; undefined: nothing. */
  look(): string | undefined {
    for (const copy of copiesOf(this.#world)) {
      const broken = this.#twice(copy) ?? (this.#mustLogIn(copy) ? this.#dead(copy) : undefined);
      if (broken !== undefined) return broken;
    }
    return undefined;
  }

  /** A version by hand is nobody's to copy; any other one is in all places. */
  atRest(): string | undefined {
    const { vault, secret } = this.#world;
    const newest = vault.newest(secret);
    const stamp = readStamp(newest.tags);
    if (stamp?.copiesDue === true) return 'at rest: copies are due';
    if (stamp === undefined || this.#truth.wroteBack || this.#truth.byHand.has(newest.version)) return this.look();
    const behind = copiesOf(this.#world).find((copy) => heldBy(copy) !== this.#world.current().password.reveal());
    return behind === undefined ? this.look() : `at rest: ${behind.name} does not hold what its source holds`;
  }

  /** One version for a rotation, and one more where the end of a self-issued credential publishes once more. */
  #twice({ vault, name }: At): string | undefined {
    const made = (vault.secrets.get(name) ?? []).flatMap(({ tags }) => readStamp(tags)?.rotationId ?? []);
    const most = this.#strategy === 'self-issued' ? 2 : 1;
    const twice = made.find((id) => made.filter((one) => one === id).length > most);
    return twice === undefined ? undefined : `${made.length} versions of ${name}, more than one of them for ${twice}`;
  }

  /**
   * What a copy holds logs in, unless somebody has cut its overlap short since: by an emergency, a way back, a forced end, or a rotation that
   * they insisted on. Where the password is replaced in place, there is no overlap.
   */
  #mustLogIn({ vault, name }: At): boolean {
    const { oldLives, hasTarget } = strategyTraits[this.#strategy];
    const source = this.#world.vault;
    const versions = source.secrets.get(this.#world.secret) ?? [];
    // What leaked may be refused before its successor is published.
    const stands = versions.some(({ tags }) => readRequested(tags).emergency !== undefined);
    if (!oldLives || !hasTarget || this.#truth.wroteBack || stands) return false;
    // An emergency about a version that was replaced already makes no version that would tell of it, and waits for no copy.
    const leaked = [...this.#truth.emergencies.values()].map((called) => called.leaked.password.reveal());
    if (leaked.includes(heldBy({ vault, name }))) return false;
    // They insisted, and what the target took for it has no version yet.
    const answered = new Set(versions.flatMap(({ tags }) => readStamp(tags)?.rotationId ?? []));
    if ([...this.#truth.insistedBegun].some((id) => !answered.has(id))) return false;
    const held = readStamp(vault.newest(name).tags)?.rotationId;
    const at = held === undefined ? 0 : versions.findIndex((each) => readStamp(each.tags)?.rotationId === held);
    const later = versions.slice(at + 1).flatMap((each) => {
      const { rotationId, also } = readStamp(each.tags) ?? {};
      return [rotationId, also].filter((id) => id !== undefined && id !== held);
    });
    return !later.some((id) => id !== undefined && (this.#truth.hasty.has(id) || this.#truth.insisted.has(id)));
  }

  #dead(copy: At): string | undefined {
    const { target } = this.#world;
    const { vault, name } = copy;
    const { value } = vault.newest(name);
    const isJson = value.reveal().startsWith('{');
    const credential = isJson ? credentialIn(value) : { password: new SecretText(heldBy(copy)) };
    return target.accepts(credential) ? undefined : `what ${name} holds does not log in`;
  }
}
