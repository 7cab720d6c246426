/** People, and what they do at bad moments: ask, call emergencies, go back, publish by hand. And intruders. */
import { queueNames } from '../../shared/contract/queue-names.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { versionMeant } from '../../shared/engine/policy/current.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { readRequested } from '../../shared/engine/policy/requested.ts';
import { isRetirementOpen, readStamp, revokedOf } from '../../shared/engine/policy/stamp.ts';
import type { Counts } from './counts.ts';
import { type GroundTruth, keyOf } from './ground-truth.ts';
import type { Random } from './random.ts';
import type { SimulatedQueue } from './simulated-queue.ts';
import { credentialIn, type World } from './world.ts';

interface Parts {
  readonly world: World;
  readonly truth: GroundTruth;
  readonly queue: SimulatedQueue;
  readonly random: Random;
  readonly strategy: Strategy;
  readonly counts: Counts;
  readonly note: (what: string) => void;
}

export class SimulatedPeople {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Somebody does something. `calm`: no worker is at it. */
  act(calm: boolean): void {
    const dice = this.#parts.random.below(100);
    if (dice < 70) this.ask(this.#parts.random.pick(modes));
    else if (dice < 82) this.#intrude();
    else if (dice < 92) this.#publishByHand(calm);
    else if (calm) this.#writeBack();
  }

  /** A request of somebody, once or as several deliveries. */
  ask(mode: RotationRequest['mode'] | 'retire'): void {
    const { world, random, truth, note } = this.#parts;
    if (mode === 'retire') {
      this.#askRetirement();
      return;
    }
    const newest = world.vault.newest(world.secret);
    const rotationId = random.id();
    const copies = random.chance(0.3) ? 2 : 1;
    if (mode === 'emergency' || mode === 'roll-back') truth.hasty.add(rotationId);
    if (mode === 'forced') truth.insisted.add(rotationId);
    const automatic = mode === 'scheduled' || mode === 'resume';
    const more = {
      ...(mode === 'scheduled' ? { version: newest.version } : {}),
      ...(automatic ? {} : { rotationId }),
      ...(mode === 'roll-back' ? this.#wayBack() : {}),
      ...(mode === 'emergency' ? this.#leak(rotationId, copies) : {}),
    };
    for (let copy = 0; copy < copies; copy++) {
      this.#put(queueNames.rotations, { mode, ...more }, random.below(3) * 40_000);
    }
    note(`${copies} × ${mode} ${JSON.stringify(more)}`);
  }

  #put(queue: string, body: object, delayMs: number): void {
    const { world } = this.#parts;
    const about = { vault: world.vault.name, secret: world.secret, requestedBy: 'simulator' };
    this.#parts.queue.add(queue, { ...about, ...body }, delayMs);
  }

  #askRetirement(): void {
    const { world, random, truth, note, counts } = this.#parts;
    const stamp = readStamp(world.vault.newest(world.secret).tags);
    if (stamp === undefined) return;
    const { rotationId: made, from } = stamp;
    truth.hasty.add(made);
    counts.retirements++;
    const mode = random.pick(['asked', 'emergency']);
    if (mode === 'emergency') truth.forced.push({ rotationId: made, from, lost: false, cameBack: false });
    truth.observe(world);
    this.#put(queueNames.retirements, { rotationId: made, mode }, 0);
    note(`retirement: ${mode}`);
  }

  /** What leaked is what the way in says: what is current, or what an emergency that is not over is there to end. */
  #leak(rotationId: string, messages: number): Pick<RotationRequest, 'version'> {
    const { world, truth, counts } = this.#parts;
    const { version: newest, tags } = world.vault.newest(world.secret);
    const version = versionMeant({ version: newest, stamp: readStamp(tags), requested: readRequested(tags) });
    const named = world.vault.secrets.get(world.secret)?.find((each) => each.version === version);
    const leaked = named === undefined ? world.current() : credentialIn(named.value);
    truth.emergencies.set(rotationId, { leaked, messages, written: false });
    counts.emergencies++;
    return { version };
  }

  #wayBack(): Pick<RotationRequest, 'to' | 'force'> {
    const { world, random, truth, counts } = this.#parts;
    counts.rollBacks++;
    if (random.chance(0.4)) return {};
    const to = random.of(world.vault.secrets.get(world.secret) ?? []);
    if (to === undefined) return {};
    const force = random.chance(0.2);
    if (force) truth.forgiven.add(keyOf(credentialIn(to.value)));
    return { to: to.version, ...(force ? { force } : {}) };
  }

  /** Somebody who has the current credential opens sessions with it, and stays. */
  #intrude(): void {
    const { world, random, note, counts } = this.#parts;
    const { username, password } = world.current();
    if (username === undefined) return;
    const count = 1 + random.below(3);
    for (let session = 0; session < count; session++) {
      if (world.target.login({ username, password }) !== 'accepted') break;
      world.target.sessions.push({ login: username, password: password.reveal() });
      counts.intruders++;
    }
    note(`an intruder logs in as ${username}`);
  }

  /** Somebody saves the secret in the portal: the same value and tags, another version. */
  #publishByHand(calm: boolean): void {
    const { world, strategy, truth, note, counts } = this.#parts;
    if (strategy === 'issue-revoke' && (!calm || this.#hasUnstoredKey())) return;
    const { vault, secret } = world;
    const { value, tags, expiresAt, contentType } = vault.newest(secret);
    const kept = { value, tags, ...(expiresAt && { expiresAt }), ...(contentType && { contentType }) };
    const version = vault.put(secret, kept);
    truth.byHand.add(version);
    counts.byHand++;
    note(`published by hand: ${version}`);
  }

  /** Somebody writes an older value back that logs in still. */
  #writeBack(): void {
    const { world, random, strategy, truth, note } = this.#parts;
    if (strategy === 'issue-revoke' || strategy === 'self-issued') return;
    const { vault, secret, target } = world;
    const versions = vault.secrets.get(secret) ?? [];
    const leaked = new Set([...truth.emergencies.values()].map((called) => keyOf(called.leaked)));
    const live = versions.filter(({ tags, value }) => {
      const credential = credentialIn(value);
      return target.accepts(credential) && revokedOf(tags) === undefined && !leaked.has(keyOf(credential));
    });
    const older = random.of(live);
    if (older === undefined || this.anEmergencyStands()) return;
    const { tags, expiresAt, contentType } = vault.newest(secret);
    const kept = { value: older.value, tags, ...(expiresAt && { expiresAt }), ...(contentType && { contentType }) };
    truth.byHand.add(vault.put(secret, kept));
    truth.wroteBack = true;
    truth.observe(world);
    note(`the value of ${older.version} is written back`);
  }

  /** A key that was issued and not stored yet is found by its label, which names the version: a version by hand in between hides it. */
  #hasUnstoredKey(): boolean {
    const { vault, target } = this.#parts.world;
    const stored = [...vault.secrets.values()].flat().map(({ value }) => value.reveal());
    return [...target.logins.values()].some((keys) =>
      [...keys].some((key) => !stored.some((one) => one.includes(key))),
    );
  }

  /** An emergency was asked for and is not over. */
  anEmergencyStands(): boolean {
    return !this.noEmergencyIsOpen() || this.#parts.queue.messages.some(({ mode }) => mode === 'emergency');
  }

  /** An emergency stands, and sessions of the credential that is current and leaked hold every connection of the target. */
  intrudersHoldAll(): boolean {
    const { target } = this.#parts.world;
    const known = [...this.#parts.truth.emergencies.values()].filter(
      ({ written, messages }) => written || messages > 0,
    );
    const leaked = new Set(known.map((called) => keyOf(called.leaked)));
    const current = keyOf(this.#parts.world.current());
    // What somebody insisted on bringing back is nobody's emergency any more.
    const all =
      leaked.has(current) &&
      !this.#parts.truth.forgiven.has(current) &&
      target.sessions.every(({ login, password }) => `${login}/${password}` === current);
    return target.sessions.length >= target.mostSessions && all && !this.noEmergencyIsOpen();
  }

  /** Nothing in the vault says that a credential is still to be revoked. */
  noEmergencyIsOpen(): boolean {
    const { world } = this.#parts;
    const { tags } = world.vault.newest(world.secret);
    const stamp = readStamp(tags);
    const isOpen = stamp?.revoke !== undefined && isRetirementOpen(stamp);
    const { emergency, earlier } = readRequested(tags);
    return (emergency ?? earlier) === undefined && !isOpen;
  }
}

const modes = [
  ...['scheduled', 'scheduled', 'scheduled', 'scheduled', 'scheduled', 'scheduled', 'asked', 'asked', 'forced'],
  ...['emergency', 'emergency', 'roll-back', 'roll-back', 'resume', 'retire', 'retire', 'retire'],
] as const;
