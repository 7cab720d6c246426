/**
 * Several workers at once over one queue, each stopped before and after every call: they are started, go on, die and are finished in an order
 * that the seed decides, while a vault, a target or the storage account is away.
 */
import type { Counts } from './counts.ts';
import type { Random } from './random.ts';
import type { Message, SimulatedQueue } from './simulated-queue.ts';
import { type Fate, SimulatedWorker } from './simulated-worker.ts';
import { Crash, type World } from './world.ts';

export interface Running {
  readonly worker: SimulatedWorker;
  readonly message: Message;
  /** The target may have been changed by it. */
  applied: boolean;
  /** The storage account was lost while it ran, and its wake-up with it. */
  bereft: boolean;
}

/** What a history makes of what its workers do. Each may throw `PromiseBroken`. */
export interface Watching {
  /** After each effect. */
  look(call: string, running: Running): void;
  /** Before it goes on from where it stands. */
  goesOn(running: Running): void;
  /** It has ended. `error`: what it threw, where it did. */
  ended(running: Running, error: unknown): void;
  /** A message that nobody will get again. */
  lost(message: Message): void;
}

interface Parts {
  readonly world: World;
  readonly queue: SimulatedQueue;
  readonly random: Random;
  readonly counts: Counts;
  readonly note: (what: string) => void;
  /** What a worker does with a message. */
  readonly work: (worker: SimulatedWorker, message: Message) => Promise<void>;
  readonly watching: Watching;
}

const mostAtOnce = 3;
const nothingAway = { vault: false, rotator: false, storage: false };

export class Crew {
  running: readonly Running[] = [];
  readonly #parts: Parts;
  #away: { readonly vault: boolean; readonly rotator: boolean; readonly storage: boolean } = nothingAway;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Something of the platform does not answer, or does again. */
  goAway(): void {
    const away = () => this.#parts.random.chance(0.3);
    this.#away = { vault: away(), rotator: away(), storage: away() };
    this.#parts.counts.outages++;
    this.#parts.note(`away: ${JSON.stringify(this.#away)}`);
  }

  /** No fault any more. */
  calm(): void {
    const { target } = this.#parts.world;
    this.#away = nothingAway;
    target.cachedAnswers = 0;
    target.protectedSessions = 0;
  }

  /** One more worker takes a message, where there is one. */
  async start(): Promise<void> {
    const { queue, random } = this.#parts;
    if (this.running.length >= mostAtOnce) return;
    const message = queue.take(random);
    if (message === undefined) return;
    // At least once: now and then a message is given out again.
    if (random.chance(0.03)) queue.messages.push({ ...message });
    await this.#run(message);
  }

  /** One of them goes on for some calls, each with a fate of its own. */
  async advance(): Promise<void> {
    const { random, note } = this.#parts;
    const running = random.of(this.running);
    if (running === undefined) return;
    const { worker } = running;
    for (let steps = random.pick([1, 2, 6, 20, 60]); steps > 0 && this.running.includes(running); steps--) {
      const fate = worker.at.startsWith('before') ? this.#fate(worker.at) : 'fine';
      note(`${this.running.indexOf(running)}: ${worker.at} ${fate}`);
      await this.#go(running, fate);
    }
  }

  /** Its process ends where it stands. */
  async kill(running: Running): Promise<void> {
    const { note, counts } = this.#parts;
    note(`${this.running.indexOf(running)}: dies ${running.worker.at}`);
    counts.crashes++;
    this.#settle(running, await running.worker.kill());
  }

  async finish(running: Running): Promise<void> {
    while (this.running.includes(running)) {
      this.#parts.note(`  ${running.worker.at}`);
      await this.#go(running, 'fine');
    }
  }

  async finishAll(): Promise<void> {
    while (this.running[0] !== undefined) await this.finish(this.running[0]);
  }

  /** Everything that is visible now is worked off, one message after the other. */
  async deliverAll(): Promise<void> {
    const { queue, random } = this.#parts;
    for (let message = queue.take(random); message !== undefined; message = queue.take(random)) {
      await this.finish(await this.#run(message));
    }
  }

  async #run(message: Message): Promise<Running> {
    const { note, work, watching } = this.#parts;
    const worker = new SimulatedWorker((call) => watching.look(call, running));
    const running: Running = { worker, message, applied: false, bereft: false };
    this.running = [...this.running, running];
    note(`a worker takes ${JSON.stringify(message.body)}`);
    this.#settle(running, await worker.start(() => work(worker, message)));
    return running;
  }

  async #go(running: Running, fate: Fate): Promise<void> {
    this.#parts.watching.goesOn(running);
    this.#settle(running, await running.worker.go(fate));
  }

  #fate(at: string): Fate {
    const { random, counts } = this.#parts;
    const [, call = ''] = at.split(' ');
    const side = call.startsWith('vault') ? 'vault' : call.startsWith('rotator') ? 'rotator' : 'storage';
    if (this.#away[side]) return 'down';
    const lost = random.chance(0.03);
    if (lost) counts.lostAnswers++;
    return lost ? 'lost' : 'fine';
  }

  #settle(running: Running, event: Awaited<ReturnType<SimulatedWorker['go']>>): void {
    if (event.kind === 'parked') return;
    this.running = this.running.filter((one) => one !== running);
    const { error } = event;
    const { watching, queue } = this.#parts;
    watching.ended(running, error);
    if (error === undefined) return;
    const died = error instanceof Crash;
    if (!died && !(error instanceof Error && again.has(error.name))) throw error;
    if (!queue.comesAgain(running.message, died)) watching.lost(running.message);
  }
}

/** What a worker throws to be given its message again. */
const again = new Set(['DeliverAgain', 'TryAgain']);
