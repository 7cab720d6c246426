/**
 * One random history of a secret that others write, too: older values and wrong ones, with all tags or none, in the middle of rotations that
 * crash; events of new versions that come twice, late or never; a second secret of the login; copies that somebody overwrites.
 */
import { z } from 'zod';
import { queueNames } from '../../shared/contract/queue-names.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { adopt } from '../../shared/operations/adopt.ts';
import { rememberedVersions } from '../../shared/operations/seen-versions.ts';
import type { Log, LogFields } from '../../shared/telemetry.ts';
import { copiedWorld } from './copied-world.ts';
import { type Counts, noCounts } from './counts.ts';
import { MemoryAttention, MemoryIrregularities, MemoryToldBefore } from './kept.ts';
import { Random } from './random.ts';
import { simulatedAppWithChecks } from './simulated-app.ts';
import { Crew, type Watching } from './simulated-crew.ts';
import { type Message, SimulatedQueue } from './simulated-queue.ts';
import { sweepOnce } from './simulated-sweep.ts';
import type { SimulatedWorker } from './simulated-worker.ts';
import { otherSecret, SimulatedWriters } from './simulated-writers.ts';
import { makeWorld, type World } from './world.ts';
import { WriterPromises } from './writer-promises.ts';

const secondMs = 1_000;
const hourMs = 3_600 * secondMs;
const monthMs = 730 * hourMs;

/** Longest time from a version of somebody else to the news that it does not log in, when its event comes and nothing fails. */
const toldWithinMs = 15 * secondMs;
/** How often the platform looks into a queue, as in host.json. */
const pollMs = 2 * secondMs;

const news = z.object({
  type: z.string(),
  version: z.string().optional(),
  secret: z.string(),
  failure: z.object({ code: z.string(), message: z.string() }).optional(),
});
const looked = z.object({ secret: z.string(), version: z.string().optional() });

export class WritersSimulation {
  readonly #random: Random;
  readonly #world: World;
  readonly #queue: SimulatedQueue;
  readonly #crew: Crew;
  readonly #writers: SimulatedWriters;
  readonly #promises: WriterPromises;
  readonly #marks = new Set<string>();
  readonly #records = {
    attention: new MemoryAttention(),
    irregularities: new MemoryIrregularities(),
    toldBefore: new MemoryToldBefore(),
  };
  /** What each of two processes remembers. */
  readonly #seen = [rememberedVersions(), rememberedVersions()] as const;
  /** By version, the one that was current when it was made. */
  readonly #before = new Map<string, string | undefined>();
  readonly #trail: string[] = [];
  readonly counts = noCounts();

  constructor(seed: number, strategy: Strategy) {
    this.#random = new Random(seed);
    const hasCopies = this.#random.chance(0.4);
    const tags = this.#random.chance(0.3) ? { 'on-foreign-version': 'repair' } : {};
    this.#world = hasCopies ? copiedWorld(strategy, tags) : makeWorld(strategy, tags);
    this.#queue = new SimulatedQueue(() => this.#world.leases.nowMs);
    const [random, world, counts] = [this.#random, this.#world, this.counts];
    const note = (what: string) => this.#note(what);
    this.#writers = new SimulatedWriters({ world, random, strategy, hasCopies, counts, note });
    this.#promises = new WriterPromises(world, strategy, this.#writers, hasCopies);
    const work = (worker: SimulatedWorker, message: Message) => this.#work(worker, message);
    this.#crew = new Crew({ world, random, queue: this.#queue, counts, note, work, watching: this.#watching() });
    this.#tellOfNewVersions();
  }

  get trail(): readonly string[] {
    return this.#trail;
  }

  #note(what: string): void {
    this.#trail.push(what);
  }

  /** Plays it to the end: so many actions, and more until so many months are over. Throws `PromiseBroken`, or whatever the engine threw. */
  async play(actions: number, months = 0): Promise<Counts> {
    this.#ask('scheduled');
    const { vault, secret } = this.#world;
    const untilMs = vault.now.getTime() + months * monthMs;
    for (let action = 0; action < actions || vault.now.getTime() < untilMs; action++) await this.#act();
    await this.#converge();
    this.counts.versions = vault.count(secret);
    return this.counts;
  }

  async #act(): Promise<void> {
    const dice = this.#random.below(1_000);
    if (dice < 420) await this.#crew.advance();
    else if (dice < 650) await this.#crew.start();
    else if (dice < 690) await this.#killOne();
    else if (dice < 750) this.#passTime(this.#random.pick(timesMs));
    else if (dice < 770) this.#crew.goAway();
    else if (dice < 800) sweepOnce(this.#world, this.#queue, (what) => this.#note(what));
    else if (dice < 900) this.#ask(this.#random.pick(modes));
    else if (dice < 920) await this.#adoptByHand();
    else await this.#letOthersWrite();
  }

  /** The service tells of every new version: once, twice, late or never. */
  #tellOfNewVersions(): void {
    const versions = { next: 0 };
    for (const vault of [this.#world.vault, this.#world.otherVault]) {
      vault.nextVersion = () => (++versions.next).toString(16).padStart(32, '0');
      const put = vault.put.bind(vault);
      vault.put = (name, version) => {
        const before = vault.secrets.get(name)?.at(-1)?.version;
        const made = put(name, version);
        this.#before.set(made, before);
        for (const delayMs of this.#random.pick(deliveries))
          this.#queue.add(queueNames.checks, { vault: vault.name, secret: name, version: made }, delayMs);
        return made;
      };
    }
  }

  #ask(mode: RotationRequest['mode']): void {
    const { world, random } = { world: this.#world, random: this.#random };
    const automatic = mode === 'scheduled' || mode === 'resume';
    const { version } = world.vault.newest(world.secret);
    const more = mode === 'scheduled' ? { version } : automatic ? {} : { rotationId: random.id() };
    if (hastyModes.has(mode)) this.#promises.hasty = true;
    const about = { vault: world.vault.name, secret: world.secret, requestedBy: 'simulator' };
    const copies = random.chance(0.3) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++)
      this.#queue.add(queueNames.rotations, { ...about, mode, ...more }, random.below(3) * 40_000);
    this.#note(`${copies} × ${mode}`);
  }

  /** The command `keyturn adopt`: a person waits for its end. */
  async #adoptByHand(): Promise<void> {
    if (this.#crew.running.length > 0) return;
    const { vault, secret } = this.#world;
    const outcome = await adopt(this.#world.deps(), vault, secret, new AbortController().signal);
    this.#note(`adopt: ${outcome.kind}`);
    if (outcome.kind === 'adopted') this.#promises.adopted.add(outcome.version);
  }

  async #letOthersWrite(): Promise<void> {
    const isCalm = this.#crew.running.length === 0 && this.#writers.nothingStored;
    const wrote = this.#writers.act(isCalm);
    if (!wrote || !isCalm || this.#random.chance(0.5)) return;
    const { version } = this.#world.vault.newest(this.#world.secret);
    const comes = this.#queue.messages.some(({ queue, body, visibleAtMs }) => {
      const isSoon = queue === queueNames.checks && visibleAtMs <= this.#world.leases.nowMs + pollMs;
      return isSoon && looked.parse(body).version === version;
    });
    if (comes) await this.#expectTold(version);
  }

  /** With nothing else failing, a version that does not log in is told seconds after its event. */
  async #expectTold(version: string): Promise<void> {
    const { leases, vault, secret } = this.#world;
    // What a dead worker holds is free after a lease.
    if ([...leases.held.values()].some(({ untilMs }) => untilMs > leases.nowMs)) return;
    this.#crew.calm();
    const writtenAtMs = leases.nowMs;
    while (vault.newest(secret).version === version && !this.#promises.isKnown()) {
      if (leases.nowMs - writtenAtMs > toldWithinMs)
        throw this.#promises.break(`nobody was told of version ${version} within ${toldWithinMs / 1000} s`);
      leases.nowMs += pollMs;
      vault.now = new Date(vault.now.getTime() + pollMs);
      await this.#crew.deliverAll();
    }
    this.#note(`known after ${(leases.nowMs - writtenAtMs) / secondMs} s`);
  }

  async #killOne(): Promise<void> {
    const running = this.#random.of(this.#crew.running);
    if (running !== undefined) await this.#crew.kill(running);
  }

  #passTime(ms: number): void {
    const { leases, vault, target } = this.#world;
    const frozen = this.#random.chance(0.4);
    if (frozen) leases.nowMs += ms;
    else leases.passRenewing(ms);
    const before = vault.now;
    vault.now = new Date(before.getTime() + ms);
    target.failures.clear();
    this.#note(`${ms / secondMs} s pass${frozen ? ', and no lease is renewed' : ''}`);
    if (dayOf(before) !== dayOf(vault.now)) this.#checkAll();
  }

  /** The daily check of every managed secret. */
  #checkAll(): void {
    const { vault, secret } = this.#world;
    for (const name of [secret, otherSecret]) {
      if (vault.secrets.get(name)?.at(-1)?.tags['rotator'] === undefined) continue;
      this.#queue.add(queueNames.checks, { vault: vault.name, secret: name }, 0);
    }
  }

  #work(worker: SimulatedWorker, { queue, body }: Message): Promise<void> {
    const storage = { queue: this.#queue, marks: this.#marks, hear: (notice: unknown) => this.#hear(notice) };
    const records = { ...this.#records, seenVersions: this.#random.pick(this.#seen) };
    const app = simulatedAppWithChecks(this.#world, storage, records, worker);
    const log = this.#logOf(body);
    if (queue === queueNames.checks) return app.check(body, log);
    return queue === queueNames.rotations ? app.rotate(body, log) : app.retire(body, log);
  }

  #hear(notice: unknown): void {
    const { type, secret, version, failure } = news.parse(notice);
    this.#note(`  people are told: ${type} ${secret} ${failure?.code ?? ''} ${failure?.message ?? ''}`);
    if (secret !== this.#world.secret) return;
    if (type === 'drifted' && version !== undefined) {
      this.#promises.drifted.add(version);
      this.counts.told++;
    }
    if (failure === undefined) return;
    const { version: newest } = this.#world.vault.newest(this.#world.secret);
    const codes = this.#promises.failures.get(newest) ?? new Set();
    this.#promises.failures.set(newest, codes.add(failure.code));
  }

  /** What the look at a new version comes to stands in the log alone. */
  #logOf(body: unknown): Log {
    const line = (event: string, fields: LogFields = {}): void => {
      const { secret, version } = looked.safeParse(body).data ?? {};
      if (secret !== this.#world.secret || version === undefined) return;
      if (event === 'version-adopted') {
        this.#promises.adopted.add(version);
        this.counts.adopted++;
      }
      if (event === 'checked') {
        this.#note(`  version ${version}: ${fields['outcome']}`);
        this.#promises.arrived(version, this.#before.get(version), String(fields['outcome']));
      }
    };
    return { info: line, warn: line, error: line };
  }

  #watching(): Watching {
    return {
      look: (call) => {
        if (changing.has(call)) this.#promises.look(call);
      },
      goesOn: (running) => {
        running.applied ||= running.worker.at === 'before rotator.apply';
      },
      ended: () => {
        const { broken } = this.#promises;
        if (broken !== undefined) throw broken;
      },
      lost: (message) => this.#note(`given up: ${JSON.stringify(message.body)}`),
    };
  }

  /** No fault any more: what runs ends, messages are delivered, the sweep and the daily checks look. */
  async #converge(): Promise<void> {
    this.#note('the faults stop');
    this.#crew.calm();
    await this.#crew.finishAll();
    for (let round = 0; round < 30; round++) {
      this.#passTime(round < 12 ? 125 * secondMs : 13 * hourMs);
      await this.#crew.deliverAll();
      sweepOnce(this.#world, this.#queue, (what) => this.#note(what));
    }
    await this.#crew.deliverAll();
    this.#promises.atRest();
  }
}

function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

const timesMs = [200, 1_000, 5_000, 30_000, 61_000, 600_000, hourMs, 25 * hourMs, 30 * 24 * hourMs] as const;

const modes = [
  ...(['scheduled', 'scheduled', 'scheduled', 'asked', 'asked', 'forced'] as const),
  ...(['roll-back', 'repair', 'repair', 'resume', 'emergency'] as const),
] as const;

/** They cut an overlap short, and what a copy holds with it. */
const hastyModes = new Set<string>(['forced', 'roll-back', 'emergency']);

/** Delays of the event of one version, in ms; none: it is lost. */
const deliveries: readonly [readonly number[], ...(readonly number[])[]] = [
  ...([[0], [0], [0], [0], [500]] as const),
  ...([[0, 40_000], [1_000, 2_000], [600_000], [3 * hourMs], []] as const),
];

/** Calls that change what the promises are about. */
const changing = new Set([
  'vault.write',
  'vault.change',
  'otherVault.write',
  'otherVault.change',
  'rotator.apply',
  'rotator.retire',
]);
