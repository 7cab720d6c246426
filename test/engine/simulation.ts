/**
 * One random history of one secret: requests of every kind, several workers at once, crashes, lost answers, lost leases, a target or a
 * vault that is away, clocks that move on, a person who publishes by hand. After every effect the promises are looked at; when the faults
 * stop, everything must come right by deliveries and sweeps alone.
 */

import { type Work, workOf } from '../../functions/work.ts';
import type { Queues } from '../../shared/contract/ports.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import type { Step } from '../../shared/contract/rotator.ts';
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
import { isPendingName, pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { judge } from '../../shared/engine/sweep/judge.ts';
import { queuedFollowUps } from '../../shared/operations/follow-ups.ts';
import { Random } from './random.ts';
import { type Fate, SimulatedWorker } from './simulated-worker.ts';
import { Crash, credentialIn, makeWorld, type World } from './world.ts';

const secondMs = 1000;
const hourMs = 3_600 * secondMs;

/** Thrown where a promise was broken; says where in the history. */
export class PromiseBroken extends Error {}

interface Message {
  readonly queue: string;
  readonly body: unknown;
  /** By the simulated clock, in ms. */
  visibleAtMs: number;
}

interface Running {
  readonly worker: SimulatedWorker;
  readonly message: Message;
}

export class Simulation {
  readonly #random: Random;
  readonly #strategy: Strategy;
  readonly #world: World;
  readonly #marks = new Set<string>();
  readonly #messages: Message[] = [];
  #running: Running[] = [];
  /** Versions that a person made. */
  readonly #byHand = new Set<string>();
  /** Whoever asks for one of these knows that the overlap is cut short. */
  readonly #hasty = new Set<string>();
  readonly #trail: string[] = [];
  #broken: PromiseBroken | undefined;
  #away: { readonly vault: boolean; readonly rotator: boolean; readonly storage: boolean } = {
    vault: false,
    rotator: false,
    storage: false,
  };

  constructor(seed: number, strategy: Strategy) {
    this.#random = new Random(seed);
    this.#strategy = strategy;
    this.#world = makeWorld(strategy);
    this.#guardOverlap();
  }

  /** Plays it to the end. Throws `PromiseBroken`, or whatever the engine threw. */
  async play(actions: number): Promise<{ readonly versions: number; readonly trail: readonly string[] }> {
    this.#ask('scheduled');
    for (let action = 0; action < actions; action++) await this.#act();
    await this.#converge();
    return { versions: this.#world.vault.count(this.#world.secret), trail: this.#trail };
  }

  get trail(): readonly string[] {
    return this.#trail;
  }

  async #act(): Promise<void> {
    const dice = this.#random.below(100);
    if (dice < 62) await this.#advanceWorker();
    else if (dice < 76) await this.#startWorker();
    else if (dice < 80) await this.#killWorker();
    else if (dice < 86) this.#passTime(this.#random.pick([1, 30, 61, 61, 600, 3_600, 90_000, 30 * 86_400]) * secondMs);
    else if (dice < 90) this.#goAway();
    else if (dice < 98) this.#ask(this.#random.pick(modes));
    else this.#publishByHand();
  }

  /** The first one counts: what a worker tidies up after it may break more. */
  #break(what: string): PromiseBroken {
    this.#broken ??= new PromiseBroken(what);
    return this.#broken;
  }

  #note(what: string): void {
    this.#trail.push(what);
  }

  #passTime(ms: number): void {
    this.#world.leases.nowMs += ms;
    this.#world.vault.now = new Date(this.#world.vault.now.getTime() + ms);
    this.#note(`${ms / secondMs} s pass`);
  }

  #goAway(): void {
    const away = () => this.#random.chance(0.3);
    this.#away = { vault: away(), rotator: away(), storage: away() };
    this.#note(`away: ${JSON.stringify(this.#away)}`);
  }

  #fate(at: string): Fate {
    const [, call = ''] = at.split(' ');
    const side = call.startsWith('vault') ? 'vault' : call.startsWith('rotator') ? 'rotator' : 'storage';
    if (this.#away[side]) return 'down';
    return this.#random.chance(0.03) ? 'lost' : 'fine';
  }

  /** A request of somebody, once or as several deliveries. */
  #ask(mode: RotationRequest['mode'] | 'retire'): void {
    const { vault, secret } = this.#world;
    const about = { vault: vault.name, secret, requestedBy: 'simulator' };
    const newest = vault.newest(secret);
    const rotationId = this.#random.id();
    if (mode === 'emergency' || mode === 'roll-back') this.#hasty.add(rotationId);
    if (mode === 'retire') {
      const made = readStamp(newest.tags)?.rotationId;
      if (made === undefined) return;
      this.#hasty.add(made);
      this.#put(queueNames.retirements, { ...about, rotationId: made, mode: 'asked' }, 0);
      this.#note('retirement asked for');
      return;
    }
    const automatic = mode === 'scheduled' || mode === 'resume';
    const version = mode === 'scheduled' ? { version: newest.version } : {};
    const body = { ...about, mode, ...version, ...(automatic ? {} : { rotationId }) };
    const copies = this.#random.chance(0.3) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++)
      this.#put(queueNames.rotations, body, this.#random.below(3) * 40 * secondMs);
    this.#note(`${copies} × ${mode}`);
  }

  /** Somebody saves the secret in the portal: the same value and tags, another version. */
  #publishByHand(): void {
    const { vault, secret } = this.#world;
    if (this.#strategy === 'issue-revoke' && (this.#running.length > 0 || this.#hasUnstoredKey())) return;
    const { value, tags, expiresAt, contentType } = vault.newest(secret);
    const kept = { value, tags, ...(expiresAt && { expiresAt }), ...(contentType && { contentType }) };
    this.#byHand.add(vault.put(secret, kept));
    this.#note('published by hand');
  }

  /** A key that was issued and not stored yet is found by its label, which names the version: a version by hand in between hides it. */
  #hasUnstoredKey(): boolean {
    const { vault, target } = this.#world;
    const stored = [...vault.secrets.values()].flat().map(({ value }) => value.reveal());
    return [...target.logins.values()].some((keys) =>
      [...keys].some((key) => !stored.some((one) => one.includes(key))),
    );
  }

  #put(queue: string, body: unknown, delayMs: number): void {
    this.#messages.push({ queue, body, visibleAtMs: this.#world.leases.nowMs + delayMs });
  }

  async #startWorker(): Promise<void> {
    if (this.#running.length >= 3) return;
    const at = this.#messages.findIndex(
      ({ queue, visibleAtMs }) => queue !== queueNames.notifications && visibleAtMs <= this.#world.leases.nowMs,
    );
    const [message] = at < 0 ? [] : this.#messages.splice(at, 1);
    if (message !== undefined) await this.#run(message);
  }

  async #run(message: Message): Promise<Running> {
    const worker = new SimulatedWorker((call) => changing.has(call) && this.#look(call));
    const running = { worker, message };
    this.#running.push(running);
    this.#note(`a worker takes ${JSON.stringify(message.body)}`);
    const work = this.#workOf(worker);
    const run = message.queue === queueNames.rotations ? work.rotate : work.retire;
    this.#settle(running, await worker.start(() => run(message.body, quiet)));
    return running;
  }

  async #advanceWorker(): Promise<void> {
    const running = this.#running[this.#random.below(Math.max(1, this.#running.length))];
    if (running === undefined) return;
    const { worker } = running;
    const fate = worker.at.startsWith('before') ? this.#fate(worker.at) : 'fine';
    this.#note(`${this.#running.indexOf(running)}: ${worker.at} ${fate}`);
    this.#settle(running, await worker.go(fate));
  }

  async #killWorker(): Promise<void> {
    const running = this.#running[this.#random.below(Math.max(1, this.#running.length))];
    if (running === undefined) return;
    this.#note(`${this.#running.indexOf(running)}: dies ${running.worker.at}`);
    this.#settle(running, await running.worker.kill());
  }

  #settle(running: Running, event: Awaited<ReturnType<SimulatedWorker['go']>>): void {
    if (event.kind === 'parked') return;
    this.#running = this.#running.filter((one) => one !== running);
    const { error } = event;
    if (this.#broken !== undefined) throw this.#broken;
    if (error === undefined) return;
    const again = error instanceof Crash || (error instanceof Error && error.name === 'DeliverAgain');
    if (!again) throw error;
    running.message.visibleAtMs = this.#world.leases.nowMs + 30 * secondMs;
    this.#messages.push(running.message);
  }

  /** The app as the queue triggers see it, with every port of the worker's under the simulator's hand. */
  #workOf(worker: SimulatedWorker): Work {
    const queues = worker.wrap('queues', this.#queues());
    const marks = worker.wrap('marks', {
      has: async (key: string) => ({ kind: 'known' as const, marked: this.#marks.has(key) }),
      put: async (key: string) => {
        this.#marks.add(key);
        return { kind: 'marked' as const };
      },
    });
    const trouble = { kind: 'trouble' as const, failures: 0, quarantined: false };
    const engine = this.#world.deps((name, port) => (name === 'followUps' ? port : worker.wrap(name, port)));
    return workOf({
      engine: { ...engine, followUps: queuedFollowUps(queues, marks) },
      history: {
        record: async () => ({ kind: 'recorded' }),
        of: async () => ({ kind: 'listed', records: [] }),
        rotation: async () => ({ kind: 'listed', records: [] }),
      },
      queues: this.#queues(),
      attention: {
        of: async () => trouble,
        all: nobody,
        failed: async () => trouble,
        cleared: async () => ({ kind: 'cleared' }),
      },
      freeze: {
        read: async () => ({ kind: 'freeze', frozen: false }),
        set: async () => ({ kind: 'freeze', frozen: false }),
      },
      quarantineAfter: 1_000_000,
      now: () => this.#world.vault.now,
    });
  }

  #queues(): Queues {
    return {
      enqueue: async (queue, message, { delayMs = 0 }) => {
        this.#put(queue.name, queue.schema.parse(message), delayMs);
        return { kind: 'enqueued' };
      },
    };
  }

  /** Promise 4: while an overlap runs, nothing but haste that somebody asked for ends the old credential. */
  #guardOverlap(): void {
    const { rotator, vault, secret } = this.#world;
    const running = (): boolean => {
      const { retireBy, retired } = readStamp(vault.newest(secret).tags) ?? {};
      return retireBy !== undefined && retired !== true && vault.now < retireBy;
    };
    const guard = (what: string, step: Step): void => {
      const hasty = step.emergency || this.#hasty.has(step.rotationId);
      if (strategyTraits[step.strategy].oldLives && running() && !hasty) {
        throw this.#break(`${what} while the overlap runs`);
      }
    };
    const { apply, retire } = { apply: rotator.apply.bind(rotator), retire: rotator.retire.bind(rotator) };
    rotator.apply = (step, candidate, live) => {
      guard('apply', step);
      return apply(step, candidate, live);
    };
    rotator.retire = (step, previous) => {
      guard('retire', step);
      return retire(step, previous);
    };
  }

  /** What must hold after every effect. */
  #look(call: string): void {
    const { vault, secret, target } = this.#world;
    const versions = vault.secrets.get(secret) ?? [];
    const pending = vault.secrets.get(pendingNameOf(secret)) ?? [];
    if (this.#strategy !== 'self-issued' && !target.accepts(this.#world.current())) {
      const stored = pending.some(({ enabled, value }) => enabled && target.accepts(credentialIn(value)));
      if (this.#strategy !== 'single-user' || !stored) throw this.#break(`after ${call}: current does not log in`);
    }
    if (this.#strategy === 'single-user') {
      const kept = [...versions, ...pending].some(({ value }) => target.accepts(credentialIn(value)));
      if (!kept) throw this.#break(`after ${call}: the target took a password that nobody stored`);
    }
    // A retirement publishes a self-issued value once more without its predecessor, under the same stamp.
    if (this.#strategy === 'self-issued') return;
    const ids = versions
      .filter(({ version }) => !this.#byHand.has(version))
      .flatMap(({ tags }) => readStamp(tags)?.rotationId ?? []);
    if (new Set(ids).size !== ids.length) throw this.#break(`after ${call}: two versions of one rotation`);
  }

  /** No fault any more: what runs ends, leases run out, messages are delivered, the sweep looks. */
  async #converge(): Promise<void> {
    this.#note('the faults stop');
    this.#away = { vault: false, rotator: false, storage: false };
    while (this.#running[0] !== undefined) await this.#finish(this.#running[0]);
    for (let round = 0; round < 30; round++) {
      this.#passTime(round < 6 ? 66 * secondMs : 13 * hourMs);
      await this.#deliverAll();
      if (!this.#sweep() && this.#messages.every(({ queue }) => queue === queueNames.notifications) && round > 10) {
        return this.#expectRight();
      }
    }
    throw this.#break('it does not come to rest');
  }

  async #finish(running: Running): Promise<void> {
    while (this.#running.includes(running)) this.#settle(running, await running.worker.go('fine'));
  }

  async #deliverAll(): Promise<void> {
    const due = this.#messages.filter(({ visibleAtMs }) => visibleAtMs <= this.#world.leases.nowMs);
    for (const message of due) {
      this.#messages.splice(this.#messages.indexOf(message), 1);
      if (message.queue === queueNames.notifications) continue;
      await this.#finish(await this.#run(message));
    }
  }

  /** What the sweep would enqueue. Whether it found anything. */
  #sweep(): boolean {
    const { vault, secret } = this.#world;
    const deps = this.#world.deps();
    let found = false;
    for (const name of vault.secrets.keys()) {
      const { version, ...properties } = { name, ...vault.newest(name) };
      const finding = judge(deps, properties, vault.now);
      const about = { vault: vault.name, secret, requestedBy: 'sweep' };
      if (finding.kind === 'due') this.#put(queueNames.rotations, { ...about, mode: 'scheduled' }, 0);
      else if (finding.kind === 'stalled') this.#put(queueNames.rotations, { ...about, mode: 'resume' }, 0);
      else if (finding.kind === 'retirement-due') {
        this.#put(queueNames.retirements, { ...about, rotationId: finding.rotationId, mode: 'scheduled' }, 0);
      } else continue;
      this.#note(`the sweep finds ${isPendingName(name) ? 'a candidate' : 'the secret'} ${version}: ${finding.kind}`);
      found = true;
    }
    return found;
  }

  /** At rest: what is published logs in and nothing else does. */
  #expectRight(): void {
    const { vault, secret, target } = this.#world;
    this.#look('everything');
    if (this.#strategy === 'self-issued') return;
    const current = this.#world.current();
    if (!target.accepts(current)) throw this.#break('at rest: current does not log in');
    const alive = [...target.logins.values()].flatMap((passwords) => [...passwords]);
    const others = alive.filter((password) => password !== current.password.reveal());
    const rotated = readStamp(vault.newest(secret).tags) !== undefined;
    if (rotated && others.length > 0) throw this.#break(`at rest: ${others.length} other credentials log in`);
    const pending = vault.secrets.get(pendingNameOf(secret))?.at(-1);
    if (pending?.enabled) throw this.#break('at rest: a candidate is still stored');
  }
}

/** Calls that change what the promises are about. */
const changing = new Set(['vault.write', 'vault.change', 'rotator.apply', 'rotator.retire']);

const modes = [
  'scheduled',
  'scheduled',
  'scheduled',
  'scheduled',
  'asked',
  'asked',
  'forced',
  'emergency',
  'roll-back',
  'resume',
  'retire',
] as const;

async function* nobody() {
  yield* [];
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
