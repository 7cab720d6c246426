/**
 * The one place that swaps: what the pools of all drivers have in common.
 *
 *   new version → open a second pool → prove it by a login → new work goes there → old work ends → old pool is closed → in use
 *
 * A pool that could not be proven never takes over: the old one stays, the proof is tried again, and `onError` is told. Old work is never
 * cut: whoever holds a connection of the old credential keeps it until it is given back.
 */
import { ConsumerError } from '../errors.ts';
import { backOffMs } from '../pace.ts';
import { withoutSecrets, wordsOf } from '../scrub.ts';
import { Timer } from '../timer.ts';
import type { User } from '../users.ts';
import type { Generation } from './generation.ts';
import type { PoolDriver, RotatingPoolOptions } from './pool-driver.ts';
import { prove, type Unproven } from './prove.ts';
import { isDone, withinMs } from './waiting.ts';

/** How a pool stands. Holds no secret value. */
export interface PoolState {
  readonly version: string;
  /** Units of work under way on the current credential, and on the ones before. */
  readonly working: number;
  readonly workingOnOld: number;
}

/** A unit of work on one pool. `end` must be called once the work is over; calling it again does nothing. */
export interface Work<Pool> {
  readonly pool: Pool;
  readonly version: string;
  readonly end: () => void;
  /** The error without the credential of this pool in it; itself when there is none. */
  readonly clean: (error: unknown) => unknown;
}

// A target that locks logins after some wrong passwords must not be asked often with one that is known to be wrong.
const firstProofRetryMs = { refused: 10_000, other: 1000 } as const;
const longestProofRetryMs = { refused: 300_000, other: 60_000 } as const;

export class RotatingPool<Pool> {
  readonly #driver: PoolDriver<Pool>;
  readonly #options: RotatingPoolOptions;
  readonly #user: User;
  readonly #retry = new Timer();
  readonly #draining = new Map<Generation<Pool>, Promise<void>>();
  readonly #stopListening: () => void;
  /** Aborted when `close` has waited long enough. */
  readonly #hurry = new AbortController();
  #current: Generation<Pool>;
  #swapping: Promise<void> | undefined;
  #asked = false;
  #failures = 0;
  /** The newer version that the target refused, so that the vault is asked for one after it. */
  #refused: string | undefined;
  #closing: Promise<void> | undefined;

  private constructor(driver: PoolDriver<Pool>, options: RotatingPoolOptions, first: Generation<Pool>) {
    this.#driver = driver;
    this.#options = options;
    this.#current = first;
    this.#user = options.secret.join();
    this.#stopListening = options.secret.on('change', () => this.#swap());
  }

  /** Opens and proves the first pool. A refused credential is read again once. Rejects with a `ConsumerError`. */
  static async start<Pool>(driver: PoolDriver<Pool>, options: RotatingPoolOptions): Promise<RotatingPool<Pool>> {
    const { secret } = options;
    let proven = await prove(driver, options, secret.current);
    if (proven.kind === 'failed' && proven.refused) {
      const refreshed = await secret.refused(proven.version);
      if (refreshed.kind === 'changed') proven = await prove(driver, options, refreshed.current);
    }
    if (proven.kind === 'failed') throw proven.error;
    const rotating = new RotatingPool(driver, options, proven.generation);
    if (secret.current.version === proven.generation.version) rotating.#user.inUse(proven.generation.version);
    else await rotating.#swap();
    return rotating;
  }

  get state(): PoolState {
    const old = [...this.#draining.keys()].reduce((sum, one) => sum + one.working, 0);
    return { version: this.#current.version, working: this.#current.working, workingOnOld: old };
  }

  /** Begins work on the current pool. Throws a `ConsumerError` after `close()`. */
  begin(): Work<Pool> {
    if (this.#closing !== undefined) throw new ConsumerError('closed', 'The rotating pool was closed.');
    const generation = this.#current;
    const { pool, version, secrets } = generation;
    return { pool, version, end: generation.begin(), clean: (error) => withoutSecrets(error, secrets) };
  }

  /**
   * Connects on the current pool. When the target refuses the credential, nothing was sent that may have run: the secret is read again
   * once, and if there is another version, the connection is made once more, with that. Gives the connection with its unit of work.
   */
  async connect<Connection>(
    make: (pool: Pool) => Promise<Connection>,
    isRefusal = this.#driver.isRefusal,
  ): Promise<{ readonly connection: Connection; readonly work: Work<Pool> }> {
    const first = this.begin();
    try {
      return { connection: await make(first.pool), work: first };
    } catch (error) {
      first.end();
      if (!isRefusal(error) || !(await this.moveOn(first.version))) throw first.clean(error);
    }
    const second = this.begin();
    try {
      return { connection: await make(second.pool), work: second };
    } catch (error) {
      second.end();
      throw second.clean(error);
    }
  }

  /** Work that is given the driver's own pool. Not repeated when it fails. */
  async use<Result>(work: (pool: Pool) => Result | Promise<Result>): Promise<Result> {
    const { pool, end, clean } = this.begin();
    try {
      return await work(pool);
    } catch (error) {
      throw clean(error);
    } finally {
      end();
    }
  }

  /** After a refusal of `version`: reads the secret again and waits for the swap. True when another version is used now. */
  async moveOn(version: string): Promise<boolean> {
    if (this.#current.version !== version) return true;
    await this.#options.secret.refused(this.#refused ?? version);
    await this.#swapping;
    return this.#current.version !== version && this.#closing === undefined;
  }

  /** Takes no new work, waits for the work under way for a while, and closes all connections. May be called again. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const limit = new Timer();
    limit.set(this.#options.closeTimeoutMs ?? 30_000, () => this.#hurry.abort());
    this.#stopListening();
    this.#retry.clear();
    await this.#swapping;
    this.#retry.clear();
    this.#drain(this.#current);
    await Promise.all(this.#draining.values());
    limit.clear();
    this.#user.leave();
  }

  /** Swaps to the secret's current version, if that is another one. One at a time; a version that comes meanwhile is next. */
  #swap(): Promise<void> {
    this.#retry.clear();
    this.#failures = 0;
    return this.#trySwap();
  }

  #trySwap(): Promise<void> {
    this.#asked = true;
    this.#swapping ??= this.#swapWhileAsked();
    return this.#swapping;
  }

  // Nothing is awaited between the last look and the end, so that a version that comes just then is not lost.
  async #swapWhileAsked(): Promise<void> {
    do {
      this.#asked = false;
      await this.#swapAll();
    } while (this.#asked);
    this.#swapping = undefined;
  }

  async #swapAll(): Promise<void> {
    const { secret } = this.#options;
    while (this.#closing === undefined && secret.current.version !== this.#current.version) {
      const wanted = secret.current;
      const proven = await prove(this.#driver, this.#options, wanted);
      if (proven.kind === 'failed') {
        if (secret.current.version !== wanted.version) continue;
        return this.#later(proven);
      }
      const old = this.#current;
      this.#current = proven.generation;
      this.#failures = 0;
      this.#refused = undefined;
      this.#drain(old);
    }
  }

  #later({ error, refused, version }: Unproven): void {
    const { secret } = this.#options;
    secret.report(error);
    if (this.#closing !== undefined) return;
    this.#failures += 1;
    this.#refused = refused ? version : undefined;
    if (refused) void secret.refused(version);
    const why = refused ? 'refused' : 'other';
    const waitMs = backOffMs(this.#failures, firstProofRetryMs[why], longestProofRetryMs[why], Math.random);
    this.#retry.set(waitMs, () => void this.#trySwap());
  }

  #drain(old: Generation<Pool>): void {
    const done = this.#closeWhenIdle(old).finally(() => {
      this.#draining.delete(old);
      // Only now nothing of this pool logs in with an earlier credential any more.
      if (this.#draining.size === 0 && this.#closing === undefined) this.#user.inUse(this.#current.version);
    });
    this.#draining.set(old, done);
  }

  async #closeWhenIdle(old: Generation<Pool>): Promise<void> {
    const { secret, drainNoticeMs = 60_000 } = this.#options;
    const tell = () => {
      const words = `${old.working} units of work still hold connections of version ${old.version} of ${secret.name}.`;
      secret.report(new ConsumerError('drain-slow', words));
    };
    const notice = setInterval(tell, drainNoticeMs);
    notice.unref();
    try {
      const idle = await isDone(old.idle(), this.#hurry.signal);
      if (!idle) tell();
      // A driver may wait for connections that nobody gives back.
      const closed = this.#driver.close(old.pool, !idle);
      await (idle ? closed : withinMs(1000, closed));
    } catch (error) {
      const words = wordsOf(error, old.secrets);
      secret.report(new ConsumerError('connection-lost', `A pool of ${secret.name} did not close cleanly: ${words}`));
    } finally {
      clearInterval(notice);
    }
  }
}
