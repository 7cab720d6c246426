/** The promises as claims about a world: after every effect, and at rest. */
import type { Step } from '../../shared/contract/rotator.ts';
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import { readRequested } from '../../shared/engine/policy/requested.ts';
import { isRetirementOpen, readStamp, revokedOf, type Stamp } from '../../shared/engine/policy/stamp.ts';
import { type GroundTruth, keyOf } from './ground-truth.ts';
import { credentialIn, type World } from './world.ts';

/** Thrown where a promise was broken; says which and where. */
export class PromiseBroken extends Error {}

type Stored = ReturnType<World['vault']['newest']>;

export class Promises {
  readonly #world: World;
  readonly #strategy: Strategy;
  readonly #truth: GroundTruth;
  #broken: PromiseBroken | undefined;
  readonly #seen = new Set<string>();
  #madeRoom = false;
  /** Credentials that the target was seen to refuse. */
  readonly #refused = new Set<string>();
  /** Workers that have ended a credential, or tried. */
  readonly #ending = new Set<object>();

  constructor(world: World, strategy: Strategy, truth: GroundTruth) {
    this.#world = world;
    this.#strategy = strategy;
    this.#truth = truth;
    this.#guardOverlap();
  }

  /** The first promise that was broken: what a worker tidies up after it may break more. */
  get broken(): PromiseBroken | undefined {
    return this.#broken;
  }

  break(what: string): PromiseBroken {
    this.#broken ??= new PromiseBroken(what);
    return this.#broken;
  }

  /** Promise 4: while an overlap runs, nothing but haste that somebody asked for ends the old credential. */
  #guardOverlap(): void {
    const { rotator, vault, secret } = this.#world;
    const guard = (what: string, step: Step): void => {
      const { retireBy, retired } = readStamp(vault.newest(secret).tags) ?? {};
      const runs = retireBy !== undefined && retired !== true && vault.now < retireBy;
      const hasty = step.emergency || this.#truth.hasty.has(step.rotationId);
      if (strategyTraits[step.strategy].oldLives && runs && !hasty) throw this.break(`${what} while the overlap runs`);
    };
    const verify = rotator.verify.bind(rotator);
    rotator.verify = async (step, credential) => {
      const outcome = await verify(step, credential);
      if (outcome.kind === 'refused') this.#refused.add(keyOf(credential));
      return outcome;
    };
    const { apply, retire } = { apply: rotator.apply.bind(rotator), retire: rotator.retire.bind(rotator) };
    rotator.apply = (step, candidate, live) => {
      // A key of a provider that is there already is only looked for.
      if (step.strategy !== 'issue-revoke' || candidate.password.isEmpty) guard('apply', step);
      return apply(step, candidate, live);
    };
    rotator.retire = (step, previous) => {
      // A key that was never published is nobody's.
      const wasPublished = this.#versions().some((each) => keyOf(credentialIn(each.value)) === keyOf(previous));
      if (wasPublished) guard('retire', step);
      return retire(step, previous);
    };
  }

  #versions(): readonly Stored[] {
    return this.#world.vault.secrets.get(this.#world.secret) ?? [];
  }

  /** Versions that Keyturn published, with their stamps. */
  #published(): readonly (Stored & { readonly stamp: Stamp })[] {
    return this.#versions().flatMap((each) => {
      const stamp = readStamp(each.tags);
      return stamp === undefined || this.#truth.byHand.has(each.version) ? [] : [{ ...each, stamp }];
    });
  }

  /** What must hold after every effect. `maker`: the worker whose effect it was, at work for `request`. */
  look(call: string, maker: object = this, request?: string): void {
    this.#truth.observe(this.#world);
    this.#currentLogsIn(call);
    if (call === 'rotator.retire') this.#ending.add(maker);
    if (call === 'vault.write') this.#noteMaker(maker, request);
    this.#oneVersionEach(call);
    this.#nothingRevokedComesBack(call);
  }

  /** Promises 1 and 2. */
  #currentLogsIn(call: string): void {
    if (this.#strategy === 'self-issued') return;
    const { vault, secret, target } = this.#world;
    const current = this.#world.current();
    if (current.username !== undefined && (target.failures.get(current.username) ?? 0) >= target.locksAfter) {
      throw this.break(`after ${call}: the login of the current version is locked`);
    }
    if (target.accepts(current)) return;
    const pending = vault.secrets.get(pendingNameOf(secret)) ?? [];
    const stored = pending.some(({ enabled, value }) => enabled && target.accepts(credentialIn(value)));
    if (this.#strategy === 'single-user' && stored) return;
    // What leaked may be refused before its successor is published, where whoever holds it holds every connection there is.
    const stands = this.#versions().some(({ tags }) => readRequested(tags).emergency !== undefined);
    this.#madeRoom = stands && (this.#madeRoom || call === 'rotator.retire');
    if (this.#madeRoom) return;
    throw this.break(`after ${call}: the current version does not log in, and no candidate that does is stored`);
  }

  #noteMaker(maker: object, request: string | undefined): void {
    const newest = this.#published().at(-1);
    if (newest === undefined || this.#seen.has(newest.version)) return;
    this.#seen.add(newest.version);
    this.#truth.makers.set(newest.version, maker);
    this.#revokedFirst(newest, maker);
    if (request === undefined) return;
    // A retirement publishes a self-issued value once more without its predecessor, under the same stamp.
    if (newest.stamp.retired === true) return;
    const { rotationId, also } = newest.stamp;
    const hasRoom = also === undefined || rotationId === request || also === request;
    if (!hasRoom) return;
    const made = this.#truth.madeFor.get(request) ?? new Set();
    this.#truth.madeFor.set(request, made.add(newest.version));
    if (made.size > 1) throw this.break(`two versions were published for the request ${request}`);
  }

  /** Promise 10: what is asked for after an emergency does not put it off. */
  #revokedFirst({ version, stamp }: { readonly version: string; readonly stamp: Stamp }, maker: object): void {
    const from = this.#versions().find((each) => each.version === stamp.from);
    const before = readStamp(from?.tags ?? {});
    // Nothing is ended for a version that does not log in: what replaces it comes first.
    const isOfNoUse = from !== undefined && this.#refused.has(keyOf(credentialIn(from.value)));
    const isOpen = before?.revoke !== undefined && isRetirementOpen(before);
    const isPutOff = isOpen && !isOfNoUse && !this.#ending.has(maker);
    if (isPutOff && stamp.revoke === undefined) throw this.break(`version ${version} put an emergency off`);
  }

  /** Promise 3: every request is answered by one version at most, as the first or the second that it was made for. */
  #oneVersionEach(call: string): void {
    const answered = new Map<string, string>();
    for (const { version, stamp } of this.#published()) {
      for (const id of [stamp.rotationId, stamp.also]) {
        if (id === undefined) continue;
        // A retirement publishes a self-issued value once more without its predecessor, under the same stamp.
        const maker = this.#strategy === 'self-issued' ? stamp.from : version;
        const before = answered.get(id) ?? maker;
        if (before !== maker) throw this.break(`after ${call}: two versions answer the request ${id}`);
        answered.set(id, maker);
      }
    }
  }

  /** Promise 10, for what was done: a credential that was revoked in an emergency stays dead until somebody insists. */
  #nothingRevokedComesBack(call: string): void {
    if (this.#strategy === 'self-issued') return;
    for (const { version, tags, value } of this.#versions()) {
      if (revokedOf(tags) === undefined) continue;
      const credential = credentialIn(value);
      if (this.#truth.forgiven.has(keyOf(credential)) || !this.#world.target.accepts(credential)) continue;
      throw this.break(`after ${call}: the credential of version ${version}, which was revoked, logs in`);
    }
  }

  /** At rest: what is published logs in, nothing else does, and nothing that was asked is left. */
  atRest(): void {
    this.look('everything');
    const { vault, secret, target } = this.#world;
    const { tags } = vault.newest(secret);
    this.#nothingBuried();
    const { emergency, earlier } = readRequested(tags);
    if ((emergency ?? earlier) !== undefined) throw this.break('at rest: an emergency still stands in the tags');
    if (isRetirementOpen(readStamp(tags))) throw this.break('at rest: a credential is still to be retired');
    if (this.#strategy === 'self-issued') return;
    const current = this.#world.current();
    if (!target.accepts(current)) throw this.break('at rest: the current version does not log in');
    const alive = [...target.logins.values()].flatMap((passwords) => [...passwords]);
    const others = alive.filter((password) => password !== current.password.reveal());
    // The request of a worker that changed the target and published nothing may have gone with the storage account: the next rotation takes
    // what it left.
    const left = this.#truth.storageLost ? this.#truth.leftBehind.size : 0;
    const rotated = readStamp(tags) !== undefined && !this.#truth.wroteBack;
    if (rotated && others.length > left) throw this.break(`at rest: ${others.length} other credentials log in`);
    if (vault.secrets.get(pendingNameOf(secret))?.at(-1)?.enabled) throw this.break('at rest: a candidate is stored');
    this.emergenciesAreDone('at rest');
    this.#forcedAreDone();
  }

  /** A version of somebody else that was replaced by one that was made without it is told of. */
  #nothingBuried(): void {
    const versions = this.#versions();
    const at = (version: string): number => versions.findIndex((each) => each.version === version);
    for (const { version, stamp } of this.#published()) {
      const between = versions
        .slice(at(stamp.from) + 1, at(version))
        .filter((each) => this.#truth.byHand.has(each.version));
      // The retirement of a self-issued value publishes it once more, and looks at nothing but its own write.
      const isAgain = versions
        .slice(0, at(version))
        .some((each) => readStamp(each.tags)?.rotationId === stamp.rotationId);
      const buried = isAgain && this.#strategy === 'self-issued' ? [] : between;
      // The rotation after it looks back: one that has none yet is told of by its request, which may have gone with the storage account.
      const next = this.#published().find((each) => at(each.version) > at(version));
      if (next === undefined ? this.#truth.storageLost : this.#isUnfinished(next.version)) continue;
      for (const each of buried) {
        if (this.#truth.told.has(each.version)) continue;
        throw this.break(
          `at rest: version ${each.version} of somebody else was buried by ${version}, and nobody was told`,
        );
      }
    }
  }

  /** Whoever made it did not come to its end: the rotation after that one looks back no further. */
  #isUnfinished(version: string): boolean {
    const maker = this.#truth.makers.get(version);
    return maker !== undefined && this.#truth.unfinished.has(maker);
  }

  /** Promise 10: every emergency that could be known of is finished. */
  emergenciesAreDone(when: string): void {
    if (this.#strategy === 'self-issued') return;
    for (const version of this.#truth.toRevoke) {
      const from = this.#versions().find((each) => each.version === version);
      if (from === undefined) continue;
      if (!this.#truth.forgiven.has(keyOf(credentialIn(from.value)))) this.#expectEnded(when, from);
    }
    for (const { leaked, messages, written } of this.#truth.emergencies.values()) {
      if (!written && messages <= 0) continue;
      const holders = this.#versions().filter((each) => keyOf(credentialIn(each.value)) === keyOf(leaked));
      const [holder] = holders;
      if (holder === undefined || this.#truth.forgiven.has(keyOf(leaked))) continue;
      this.#expectRevoked(when, holder);
      const isMarked = holders.some(({ tags }) => revokedOf(tags) !== undefined);
      if (!isMarked)
        throw this.break(`${when}: no version with the leaked credential of ${holder.version} bears a mark`);
    }
  }

  /**
   * Whoever forces a retirement wants the sessions ended too, also where the credential was retired in peace before and where another rotation
   * is the current one by then.
   */
  #forcedAreDone(): void {
    for (const { from, lost, cameBack } of this.#truth.forced) {
      const old = this.#versions().find(({ version }) => version === from);
      if (lost || cameBack || old === undefined) continue;
      const key = keyOf(credentialIn(old.value));
      if (!this.#truth.forgiven.has(key) && key !== keyOf(this.#world.current())) this.#expectRevoked('at rest', old);
    }
  }

  /** Dead, and marked: on the version or on another one with the same credential. */
  #expectEnded(when: string, ended: Stored): void {
    this.#expectRevoked(when, ended);
    const key = keyOf(credentialIn(ended.value));
    const holders = this.#versions().filter((each) => keyOf(credentialIn(each.value)) === key);
    if (holders.some(({ tags }) => revokedOf(tags) !== undefined)) return;
    throw this.break(`${when}: version ${ended.version} bears no mark`);
  }

  #expectRevoked(when: string, { version, value }: Stored): void {
    const { target } = this.#world;
    const credential = credentialIn(value);
    if (target.accepts(credential)) throw this.break(`${when}: the leaked credential of version ${version} logs in`);
    const open = target.sessions.filter((one) => one.login === credential.username);
    const left = open.filter((one) => one.password === credential.password.reveal());
    if (left.length > 0) throw this.break(`${when}: ${left.length} sessions of the leaked version ${version} are open`);
  }
}
