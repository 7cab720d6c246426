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
import { simulatedApp, tellingLog } from './simulated-app.ts';
import { SimulatedPeople } from './simulated-people.ts';
import { type Message, SimulatedQueue } from './simulated-queue.ts';
import { sweepOnce } from './simulated-sweep.ts';
import { type Fate, SimulatedWorker } from './simulated-worker.ts';
import { Crash, makeWorld, type World } from './world.ts';

/** Every so many-th history is of a secret with copies. */
const copiedEvery = 5;
const secondMs = 1_000;
const hourMs = 3_600 * secondMs;

/** Longest time from the death of a worker that had changed a target to a version that logs in, when nothing else fails. */
const healedWithinMs = 75 * secondMs;
/** How often the platform looks into a queue, as in host.json. */
const pollMs = 2 * secondMs;

interface Running {
  readonly worker: SimulatedWorker;
  readonly message: Message;
  /** The target may have been changed by it. */
  applied: boolean;
  /** The storage account was lost while it ran, and its wake-up with it. */
  bereft: boolean;
}

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
  #running: Running[] = [];
  readonly #trail: string[] = [];
  readonly counts = noCounts();
  #away: { readonly vault: boolean; readonly rotator: boolean; readonly storage: boolean } = nothingAway;

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
    this.#people = new SimulatedPeople({ ...this.#parts(), note, counts: this.counts });
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

  /** Plays it to the end. Throws `PromiseBroken`, or whatever the engine threw. */
  async play(actions: number): Promise<Counts> {
    this.#people.ask('scheduled');
    for (let action = 0; action < actions; action++) await this.#act();
    await this.#converge();
    this.counts.versions = this.#world.vault.count(this.#world.secret);
    return this.counts;
  }

  get trail(): readonly string[] {
    return this.#trail;
  }

  async #act(): Promise<void> {
    const dice = this.#random.below(1_000);
    if (dice < 450) await this.#advanceWorker();
    else if (dice < 620) await this.#startWorker();
    else if (dice < 690) await this.#killWorker();
    else if (dice < 770) this.#passTime(this.#random.pick(timesMs));
    else if (dice < 795) this.#goAway();
    else if (dice < 815) sweepOnce(this.#world, this.#queue, (what) => this.#note(what));
    else if (dice < 820) this.#loseStorage();
    else if (dice < 835) this.#disturbTarget();
    else this.#people.act(this.#running.length === 0);
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

  #goAway(): void {
    const away = () => this.#random.chance(0.3);
    this.#away = { vault: away(), rotator: away(), storage: away() };
    this.counts.outages++;
    this.#note(`away: ${JSON.stringify(this.#away)}`);
  }

  /** The account is gone with all that was in it. What workers do goes on. */
  #loseStorage(): void {
    for (const { queue, rotationId } of this.#queue.messages) this.#truth.lost(queue, rotationId);
    this.#queue.messages = [];
    for (const running of this.#running) running.bereft = true;
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

  #fate(at: string): Fate {
    const [, call = ''] = at.split(' ');
    const side = call.startsWith('vault') ? 'vault' : call.startsWith('rotator') ? 'rotator' : 'storage';
    if (this.#away[side]) return 'down';
    const lost = this.#random.chance(0.03);
    if (lost) this.counts.lostAnswers++;
    return lost ? 'lost' : 'fine';
  }

  async #startWorker(): Promise<void> {
    if (this.#running.length >= 3) return;
    const message = this.#queue.take(this.#random);
    if (message === undefined) return;
    // At least once: now and then a message is given out again.
    if (this.#random.chance(0.03)) this.#queue.messages.push({ ...message });
    await this.#run(message);
  }

  async #run(message: Message): Promise<Running> {
    const { queue, body, rotationId } = message;
    const worker = new SimulatedWorker((call) => this.#look(call, worker, rotationId));
    const running: Running = { worker, message, applied: false, bereft: false };
    this.#running.push(running);
    this.#note(`a worker takes ${JSON.stringify(body)}`);
    const hear = (text: string) => this.#truth.hear(text);
    const app = simulatedApp(this.#world, { queue: this.#queue, marks: this.#marks, hear }, worker);
    const work = queue === queueNames.rotations ? app.rotate : app.retire;
    const log = tellingLog(hear);
    this.#settle(running, await worker.start(() => work(body, log)));
    return running;
  }

  #look(call: string, worker: object, rotationId: string | undefined): void {
    if (changing.has(call)) this.#promises.look(call, worker, rotationId);
    this.#expectCopies(this.#copies?.look());
  }

  #expectCopies(broken: string | undefined): void {
    if (broken !== undefined) throw this.#promises.break(broken);
  }

  #atRest(): void {
    this.#promises.atRest();
    this.#expectCopies(this.#copies?.atRest());
  }

  async #advanceWorker(): Promise<void> {
    const running = this.#random.of(this.#running);
    if (running === undefined) return;
    const { worker } = running;
    for (let steps = this.#random.pick([1, 2, 6, 20, 60]); steps > 0 && this.#running.includes(running); steps--) {
      const fate = worker.at.startsWith('before') ? this.#fate(worker.at) : 'fine';
      this.#note(`${this.#running.indexOf(running)}: ${worker.at} ${fate}`);
      await this.#go(running, fate);
    }
  }

  async #go(running: Running, fate: Fate): Promise<void> {
    if (running.worker.at === 'before rotator.apply') {
      running.applied = true;
      this.#truth.begun(running.message.rotationId);
    }
    this.#settle(running, await running.worker.go(fate));
  }

  async #killWorker(): Promise<void> {
    const half = this.#running.filter(({ applied }) => applied);
    const running = this.#random.of(half.length > 0 && this.#random.chance(0.7) ? half : this.#running);
    if (running === undefined) return;
    const { applied, bereft, message, worker } = running;
    // Once it has taken its wake-up back it has failed, and that is a fault of its own.
    const isOver = worker.at.endsWith('queues.withdraw') || worker.at.endsWith('lease.release');
    const watched = applied && !bereft && !isOver && message.queue === queueNames.rotations && this.#random.chance(0.7);
    // A lease that ran out before the worker died is a fault of its own.
    const others = this.#running.filter((each) => each !== running);
    if (watched) for (const other of others) await this.#finish(other);
    if (!this.#running.includes(running)) return;
    this.#note(`${this.#running.indexOf(running)}: dies ${worker.at}`);
    this.counts.crashes++;
    this.#settle(running, await worker.kill());
    if (watched) await this.#expectHealed(message);
  }

  /** With nothing else failing, what a dead worker left half done is finished in about a lease, by the platform's own times. */
  async #expectHealed({ mode }: Message): Promise<void> {
    const { leases, vault, target } = this.#world;
    if (this.#queue.messages.every((each) => each.mode === undefined)) return;
    this.#calm();
    target.mostSessions = Infinity;
    const diedAtMs = leases.nowMs;
    while (!this.#isWhole(mode)) {
      if (leases.nowMs - diedAtMs > healedWithinMs)
        throw this.#promises.break(`not healed ${healedWithinMs / 1000} s after a worker died`);
      leases.nowMs += pollMs;
      vault.now = new Date(vault.now.getTime() + pollMs);
      await this.#deliverAll();
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

  #settle(running: Running, event: Awaited<ReturnType<SimulatedWorker['go']>>): void {
    if (event.kind === 'parked') return;
    this.#running = this.#running.filter((one) => one !== running);
    const { error } = event;
    if (running.applied && ![...this.#truth.makers.values()].includes(running.worker))
      this.#truth.leftBehind.add(running.worker);
    const { broken } = this.#promises;
    if (broken !== undefined) throw broken;
    if (error === undefined) return;
    this.#truth.unfinished.add(running.worker);
    const died = error instanceof Crash;
    if (!died && !(error instanceof Error && error.name === 'DeliverAgain')) throw error;
    if (!this.#queue.comesAgain(running.message, died)) {
      this.#truth.lost(running.message.queue, running.message.rotationId);
    }
  }

  #calm(): void {
    const { target } = this.#world;
    this.#away = nothingAway;
    target.cachedAnswers = 0;
    target.protectedSessions = 0;
  }

  /** No fault any more: what runs ends, leases run out, messages are delivered, the sweep looks. */
  async #converge(): Promise<void> {
    this.#note('the faults stop');
    this.#calm();
    if (!this.#people.anEmergencyStands()) this.#world.target.mostSessions = Infinity;
    while (this.#running[0] !== undefined) await this.#finish(this.#running[0]);
    for (let round = 0; round < 40; round++) {
      this.#passTime(round < 12 ? 125 * secondMs : 13 * hourMs);
      await this.#deliverAll();
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

  async #finish(running: Running): Promise<void> {
    while (this.#running.includes(running)) {
      this.#note(`  ${running.worker.at}`);
      await this.#go(running, 'fine');
    }
  }

  async #deliverAll(): Promise<void> {
    for (
      let message = this.#queue.take(this.#random);
      message !== undefined;
      message = this.#queue.take(this.#random)
    ) {
      await this.#finish(await this.#run(message));
    }
  }
}

const nothingAway = { vault: false, rotator: false, storage: false };

const timesMs = [200, 1_000, 30_000, 61_000, 61_000, 600_000, hourMs, 25 * hourMs, 30 * 24 * hourMs] as const;

/** Calls that change what the promises are about. */
const changing = new Set(['vault.write', 'vault.change', 'rotator.apply', 'rotator.retire']);
