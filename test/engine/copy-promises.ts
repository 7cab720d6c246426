/** What must hold of the copies of a secret: after every effect, and at rest. */
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
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
      const broken = this.#twice(copy) ?? (this.#mustLogIn() ? this.#dead(copy) : undefined);
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

  /** Where nobody cuts an overlap short, replaces a password in place or writes by hand, what a copy holds always logs in. */
  #mustLogIn(): boolean {
    const { oldLives, hasTarget } = strategyTraits[this.#strategy];
    const { hasty, emergencies, forced, byHand, insisted, wroteBack } = this.#truth;
    const isCalm = hasty.size + emergencies.size + forced.length + byHand.size === 0;
    return oldLives && hasTarget && isCalm && !insisted && !wroteBack;
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
