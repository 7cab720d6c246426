/** A worker that stops before and after each of its calls, and goes on only when the simulator says so, and how. */
import { failure } from '../../shared/errors.ts';
import { Crash } from './world.ts';

/** What becomes of the next call. `down`: nothing is done, no answer comes. `lost`: it is done, and no answer comes. */
export type Fate = 'fine' | 'down' | 'lost';

type Event = { readonly kind: 'parked' } | { readonly kind: 'ended'; readonly error: unknown };

interface HeldLease {
  remainingMs(): number;
}

export class SimulatedWorker {
  /** The call it stands before or after. */
  at = '';
  dead = false;
  #fate: Fate = 'fine';
  #resume: (() => void) | undefined;
  #tell: ((event: Event) => void) | undefined;
  #lease: HeldLease | undefined;
  #turn: Promise<void> = Promise.resolve();
  readonly #watch: (call: string) => unknown;

  /** `watch` is called after each effect. */
  constructor(watch: (call: string) => unknown) {
    this.#watch = watch;
  }

  /** Starts the work. Resolves when it stands for the first time, or has ended. */
  start(work: () => Promise<void>): Promise<Event> {
    return this.#untilItStands(() => {
      work().then(
        () => this.#tell?.({ kind: 'ended', error: undefined }),
        (error: unknown) => this.#tell?.({ kind: 'ended', error }),
      );
    });
  }

  /** Lets it go on to where it stands next. */
  go(fate: Fate): Promise<Event> {
    this.#fate = fate;
    return this.#untilItStands(() => this.#resume?.());
  }

  /** Nothing of it runs any more: every call throws, also those that would tidy up. */
  kill(): Promise<Event> {
    this.dead = true;
    return this.#untilItStands(() => this.#resume?.());
  }

  #untilItStands(act: () => void): Promise<Event> {
    return new Promise((resolve) => {
      this.#tell = resolve;
      act();
    });
  }

  async #park(at: string): Promise<void> {
    if (this.dead) throw new Crash();
    await new Promise<void>((resolve) => {
      this.at = at;
      this.#resume = resolve;
      this.#tell?.({ kind: 'parked' });
    });
    if (this.dead) throw new Crash();
  }

  readonly wrap = <T extends object>(name: string, port: T): T =>
    new Proxy(port, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property, target);
        if (typeof member !== 'function') return member;
        if (property === 'remainingMs' || property === 'propose') return member.bind(target);
        if (property === 'list') return (...args: unknown[]) => this.#list(name, Reflect.apply(member, target, args));
        return (...args: unknown[]) =>
          this.#call(name, String(property), async () => {
            const outcome: unknown = await Reflect.apply(member, target, args);
            return outcome;
          });
      },
    });

  /** A listing is one call: all of its pages come, or none. */
  async *#list(name: string, pages: AsyncIterable<unknown>): AsyncGenerator<unknown, void, undefined> {
    const all: unknown[] = [];
    const outcome = await this.#call(name, 'list', async () => {
      for await (const page of pages) all.push(page);
      return undefined;
    });
    yield* outcome === undefined ? all : [outcome];
  }

  /** What a worker does side by side is played one after the other: the simulator decides about one call at a time. */
  async #call(name: string, method: string, act: () => Promise<unknown>): Promise<unknown> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      return await this.#play(name, method, act);
    } finally {
      resolve();
    }
  }

  async #play(name: string, method: string, act: () => Promise<unknown>): Promise<unknown> {
    const call = `${name}.${method}`;
    await this.#park(`before ${call}`);
    const fate = this.#fate;
    // A call is given up when its lease runs out, which is before the next worker can have it.
    const aborted = name !== 'lease' && this.#lease !== undefined && this.#lease.remainingMs() <= 0;
    if (aborted || (fate === 'down' && name !== 'lease')) return noAnswer(name, method);
    const outcome = await act();
    this.#watch(call);
    if (name === 'lease') return outcome;
    await this.#park(`after ${call}`);
    return fate === 'lost' ? noAnswer(name, method) : this.#withLease(outcome);
  }

  #withLease(outcome: unknown): unknown {
    if (typeof outcome !== 'object' || outcome === null || !('lease' in outcome)) return outcome;
    const { lease } = outcome;
    if (!isLease(lease)) return outcome;
    this.#lease = lease;
    return { ...outcome, lease: this.wrap('lease', lease) };
  }
}

function isLease(value: unknown): value is HeldLease {
  return typeof value === 'object' && value !== null && 'remainingMs' in value;
}

function noAnswer(name: string, method: string) {
  const secret = 'orders-db';
  const detail = 'connection cut';
  if (name === 'vault') return failure('vault-unreachable', { secret, vault: 'contoso-kv', detail });
  if (name !== 'rotator') return failure('storage-unreachable', { secret, detail });
  if (method === 'verify') return { kind: 'unreachable', detail };
  if (method === 'inUse') return { kind: 'unknown', detail };
  return failure('target-unreachable', { secret, target: 'db.contoso.test', detail });
}
