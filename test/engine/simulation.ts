/**
 * One random history of one secret: requests of every kind, several workers at once, crashes, lost answers, lost leases, a target or a
 * vault that is away, clocks that move on, intruders, people who publish by hand, a storage account that is lost. After every effect the
 * promises are looked at; when the faults stop, everything must come right by deliveries and sweeps alone.
 */
import { queueNames } from '../../shared/contract/queue-names.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { copiedWorld } from './copied-world.ts';
import { CopyPromises } from './copy-promises.ts';
import { type Counts, noCounts } from './counts.ts';
import { GroundTruth } from './ground-truth.ts';
import { Promises } from './promises.ts';
import { Random } from './random.ts';
import { simulatedApp, tellingLog, warningsIn } from './simulated-app.ts';
import { Crew, type Running, type Watching } from './simulated-crew.ts';
import { SimulatedPeople } from './simulated-people.ts';
import { type Message, SimulatedQueue } from './simulated-queue.ts';
import { sweepOnce } from './simulated-sweep.ts';
import type { SimulatedWorker } from './simulated-worker.ts';
import { makeWorld, type World } from './world.ts';

/** Every so many-th history is of a secret with copies. */
const copiedEvery = 5;
const secondMs = 1_000;
const hourMs = 3_600 * secondMs;
const monthMs = 730 * hourMs;

/** Longest time from the death of a worker that had changed a target to a version that logs in, when nothing else fails. */
const healedWithinMs = 75 * secondMs;
/** How often the platform looks into a queue, as in host.json. */
const pollMs = 2 * secondMs;

export class Simulation {
  readonly #random: Random;
  readonly #world: World;
  readonly #truth = new GroundTruth();
  readonly #promises: Promises;
  /** Absent where the secret has none. */
  readonly #copies: CopyPromises | undefined;
  readonly #marks = new Set<string>();
  readonly #queue: SimulatedQueue;
  readonly #people: SimulatedPeople;
  readonly #strategy: Strategy;
  readonly #crew: Crew;
  readonly #trail: string[] = [];
  readonly counts = noCounts();

  constructor(seed: number, strategy: Strategy) {
    this.#random = new Random(seed);
    this.#strategy = strategy;
    const world = seed % copiedEvery === 0 ? copiedWorld(strategy) : makeWorld(strategy);
    this.#world = world;
    let versions = 0;
    world.vault.nextVersion = () => (++versions).toString(16).padStart(32, '0');
    world.vault.turnsTies = this.#random.chance(0.3);
    world.target.locksAfter = this.#random.pick([Infinity, Infinity, Infinity, 12]);
    world.target.ended = (session) => {
      const credential = { username: session.login, password: new SecretText(session.password) };
      if (world.target.accepts(credential)) world.target.sessions.push(session);
    };
    this.#promises = new Promises(world, strategy, this.#truth);
    this.#copies = seed % copiedEvery === 0 ? new CopyPromises(world, strategy, this.#truth) : undefined;
    this.#queue = new SimulatedQueue(() => world.leases.nowMs);
    const note = (what: string) => this.#note(what);
    const { counts } = this;
    this.#people = new SimulatedPeople({ ...this.#parts(), note, counts });
    const work = (worker: SimulatedWorker, message: Message) => this.#work(worker, message);
    this.#crew = new Crew({ ...this.#parts(), note, counts, work, watching: this.#watching() });
  }

  #parts() {
    return {
      world: this.#world,
      truth: this.#truth,
      queue: this.#queue,
      random: this.#random,
      strategy: this.#strategy,
    };
  }

  /** Plays it to the end: so many actions, and more until so many months are over. Throws `PromiseBroken`, or whatever the engine threw. */
  async play(actions: number, months = 0): Promise<Counts> {
    this.#people.ask('scheduled');
    const { vault } = this.#world;
    const untilMs = vault.now.getTime() + months * monthMs;
    for (let action = 0; action < actions || vault.now.getTime() < untilMs; action++) await this.#act();
    await this.#converge();
    this.counts.versions = this.#world.vault.count(this.#world.secret);
    return this.counts;
  }

  get trail(): readonly string[] {
    return this.#trail;
  }

  async #act(): Promise<void> {
    const dice = this.#random.below(1_000);
    if (dice < 450) await this.#crew.advance();
    else if (dice < 620) await this.#crew.start();
    else if (dice < 690) await this.#killWorker();
    else if (dice < 770) this.#passTime(this.#random.pick(timesMs));
    else if (dice < 795) this.#crew.goAway();
    else if (dice < 815) sweepOnce(this.#world, this.#queue, (what) => this.#note(what));
    else if (dice < 820) this.#loseStorage();
    else if (dice < 835) this.#disturbTarget();
    else this.#people.act(this.#crew.running.length === 0);
  }

  #note(what: string): void {
    this.#trail.push(what);
  }

  #passTime(ms: number): void {
    const { leases, vault } = this.#world;
    const frozen = this.#random.chance(0.5);
    if (frozen) leases.nowMs += ms;
    else leases.passRenewing(ms);
    vault.now = new Date(vault.now.getTime() + ms);
    if (ms >= secondMs) this.#consumersLogIn();
    this.#note(`${ms / secondMs} s pass${frozen ? ', and no lease is renewed' : ''}`);
  }

  /** Whoever uses the current version logs in now and then, which is what ends a count of failed attempts. */
  #consumersLogIn(): void {
    const { target } = this.#world;
    const { username } = this.#world.current();
    if (username !== undefined && target.accepts(this.#world.current())) target.failures.delete(username);
  }

  /** The account is gone with all that was in it. What workers do goes on. */
  #loseStorage(): void {
    for (const message of this.#queue.messages) this.#lost(message);
    this.#queue.messages = [];
    for (const running of this.#crew.running) running.bereft = true;
    this.#truth.storageLost = true;
    this.#marks.clear();
    this.counts.lostStorage++;
    this.#note('the storage account is lost');
  }

  #disturbTarget(): void {
    const { target } = this.#world;
    target.cachedAnswers = this.#random.pick([0, 0, 1]);
    target.protectedSessions = this.#random.pick([0, 0, 1]);
    target.mostSessions = this.#random.chance(0.5) ? Math.max(1, target.sessions.length) : Infinity;
    const { cachedAnswers, protectedSessions, mostSessions } = target;
    this.#note(`target: ${JSON.stringify({ cachedAnswers, protectedSessions, mostSessions })}`);
  }

  #work(worker: SimulatedWorker, { queue, body }: Message): Promise<void> {
    const hear = (notice: unknown) => this.#truth.hear(warningsIn(notice));
    const app = simulatedApp(this.#world, { queue: this.#queue, marks: this.#marks, hear }, worker);
    const work = queue === queueNames.rotations ? app.rotate : app.retire;
    return work(
      body,
      tellingLog((text) => this.#truth.hear(text)),
    );
  }

  #watching(): Watching {
    return {
      look: (call, { worker, message }) => {
        if (changing.has(call)) this.#promises.look(call, worker, message.rotationId);
        if (changing.has(call) || call.startsWith('otherVault')) this.#expectCopies(this.#copies?.look());
      },
      goesOn: (running) => {
        if (running.worker.at !== 'before rotator.apply') return;
        running.applied = true;
        this.#truth.begun(running.message.rotationId);
      },
      ended: (running, error) => this.#ended(running, error),
      lost: (message) => this.#lost(message),
    };
  }

  #ended({ worker, applied }: Running, error: unknown): void {
    if (applied && ![...this.#truth.makers.values()].includes(worker)) this.#truth.leftBehind.add(worker);
    const { broken } = this.#promises;
    if (broken !== undefined) throw broken;
    if (error !== undefined) this.#truth.unfinished.add(worker);
  }

  #lost({ queue, rotationId }: Message): void {
    this.#truth.lost(queue, rotationId);
  }

  #expectCopies(broken: string | undefined): void {
    if (broken !== undefined) throw this.#promises.break(broken);
  }

  #atRest(): void {
    this.#promises.atRest();
    this.#expectCopies(this.#copies?.atRest());
  }

  async #killWorker(): Promise<void> {
    const half = this.#crew.running.filter(({ applied }) => applied);
    const running = this.#random.of(half.length > 0 && this.#random.chance(0.7) ? half : this.#crew.running);
    if (running === undefined) return;
    const { applied, bereft, message, worker } = running;
    // Once it has taken its wake-up back it has failed, and that is a fault of its own.
    const isOver = worker.at.endsWith('queues.withdraw') || worker.at.endsWith('lease.release');
    const watched = applied && !bereft && !isOver && message.queue === queueNames.rotations && this.#random.chance(0.7);
    // A lease that ran out before the worker died is a fault of its own.
    const others = this.#crew.running.filter((each) => each !== running);
    if (watched) for (const other of others) await this.#crew.finish(other);
    if (!this.#crew.running.includes(running)) return;
    await this.#crew.kill(running);
    if (watched) await this.#expectHealed(message);
  }

  /** With nothing else failing, what a dead worker left half done is finished in about a lease, by the platform's own times. */
  async #expectHealed({ mode }: Message): Promise<void> {
    const { leases, vault, target } = this.#world;
    if (this.#queue.messages.every((each) => each.mode === undefined)) return;
    this.#crew.calm();
    target.mostSessions = Infinity;
    const diedAtMs = leases.nowMs;
    while (!this.#isWhole(mode)) {
      if (leases.nowMs - diedAtMs > healedWithinMs)
        throw this.#promises.break(`not healed ${healedWithinMs / 1000} s after a worker died`);
      leases.nowMs += pollMs;
      vault.now = new Date(vault.now.getTime() + pollMs);
      await this.#crew.deliverAll();
    }
    this.counts.healed++;
    this.counts.longestHealMs = Math.max(this.counts.longestHealMs, leases.nowMs - diedAtMs);
    this.#note(`healed after ${(leases.nowMs - diedAtMs) / secondMs} s`);
  }

  #isWhole(mode: string | undefined): boolean {
    if (this.#strategy === 'self-issued') return true;
    if (!this.#world.target.accepts(this.#world.current())) return false;
    return mode !== 'emergency' || this.#people.noEmergencyIsOpen();
  }

  /** No fault any more: what runs ends, leases run out, messages are delivered, the sweep looks. */
  async #converge(): Promise<void> {
    this.#note('the faults stop');
    this.#crew.calm();
    if (!this.#people.anEmergencyStands()) this.#world.target.mostSessions = Infinity;
    await this.#crew.finishAll();
    for (let round = 0; round < 40; round++) {
      this.#passTime(round < 12 ? 125 * secondMs : 13 * hourMs);
      await this.#crew.deliverAll();
      // An intruder who fills the target is no obstacle to an emergency, and to everything else until the emergency is over.
      if (round === 8) {
        if (this.#people.intrudersHoldAll()) throw this.#promises.break('an emergency waits for an intruder to leave');
        this.#world.target.mostSessions = Infinity;
      }
      const found = sweepOnce(this.#world, this.#queue, (what) => this.#note(what));
      if (!found && this.#queue.messages.length === 0 && round > 16) return this.#atRest();
    }
    throw this.#promises.break('it does not come to rest');
  }
}

const timesMs = [200, 1_000, 30_000, 61_000, 61_000, 600_000, hourMs, 25 * hourMs, 30 * 24 * hourMs] as const;

/** Calls that change what the promises are about. */
const changing = new Set(['vault.write', 'vault.change', 'rotator.apply', 'rotator.retire']);
