import type { Lease } from '../../contract/ports.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { Attempted, Failed, Held, StepRecord } from './result.ts';

/** Longest time of one step, in ms. Issued keys of some providers take minutes to work everywhere. */
const stepLimitMs = 180_000;

/** A lease with less time than this is not trusted to last until the target or the vault has answered. */
export const leaseMarginMs = 5_000;

/** What a step is given: a signal that ends it in time, and the time left. */
export interface StepTime {
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
}

/** One worker's try at one rotation: runs its steps under the lease, and remembers them for people. */
export class Attempt {
  readonly #lease: Lease;
  readonly #dependencies: Pick<EngineDependencies, 'elapsedMs' | 'progress' | 'wait'>;
  readonly #about: { rotationId: string; readonly vault: string; readonly secret: string };
  readonly #steps: StepRecord[] = [];
  #published: { readonly from: string; readonly to: string } | undefined;
  #applied = false;
  #clock = { vaultMs: 0, elapsedMs: 0 };
  #notify: readonly string[] | undefined;
  #held: Held | undefined;

  constructor(
    lease: Lease,
    dependencies: Pick<EngineDependencies, 'elapsedMs' | 'progress' | 'wait'>,
    about: { readonly rotationId: string; readonly vault: string; readonly secret: string },
  ) {
    this.#lease = lease;
    this.#dependencies = dependencies;
    this.#about = { ...about };
  }

  get steps(): readonly StepRecord[] {
    return this.#steps;
  }

  get about(): Omit<Attempted, 'steps'> {
    return { ...this.#about, ...(this.#notify === undefined ? {} : { notify: this.#notify }) };
  }

  /** The id is known only once the current version was read. */
  identify(rotationId: string): void {
    this.#about.rotationId = rotationId;
  }

  /** Whom the secret's own tag wants to be told, as soon as it was read. */
  tellTo(channels: readonly string[] | undefined): void {
    this.#notify = channels;
  }

  /** What consumers hold, as soon as it was read. */
  consumersHold(held: Held): void {
    this.#held = held;
  }

  /** The vault told its time, to a second, in an answer that came just now. */
  vaultClock(readAt: Date): void {
    this.#clock = { vaultMs: readAt.getTime(), elapsedMs: this.#dependencies.elapsedMs() };
  }

  /**
   * Resolves once the vault's clock is certainly past the second of `changedAt`. The configuration provider of .NET compares whole seconds of
   * `updated`: a version made in the second in which the one before was changed is never loaded by an application that read that one
   * (Azure.Extensions.AspNetCore.Configuration.Secrets, `LoadAsync`).
   */
  async secondAfter(changedAt: Date, signal: AbortSignal): Promise<void> {
    const { elapsedMs, wait } = this.#dependencies;
    const earliestMs = this.#clock.vaultMs + (elapsedMs() - this.#clock.elapsedMs);
    const leftMs = (Math.floor(changedAt.getTime() / 1000) + 1) * 1000 - earliestMs;
    if (leftMs > 0) await wait(leftMs, signal);
  }

  /** The target took a new credential, which no version holds yet. */
  applied(): void {
    this.#applied = true;
  }

  /** A version is current for this request, made now or before. */
  published({ from, to }: { readonly from: string; readonly to: string }): void {
    this.#published = { from, to };
  }

  /** How far it came before it failed. */
  get reached(): Pick<Failed, 'published' | 'unpublished' | 'held'> {
    if (this.#published !== undefined) return { published: this.#published };
    const held = this.#held === undefined ? {} : { held: this.#held };
    return this.#applied ? { unpublished: true, ...held } : held;
  }

  /** Time for which work may go on, in ms. */
  readonly remainingMs = (): number => this.#lease.remainingMs() - leaseMarginMs;

  /**
   * Runs one step. Whatever it does to the vault or the target happens only while the lease has time left, and is aborted when the
   * lease has not: a worker that was frozen finds out here, before it acts.
   */
  async step<Outcome extends { readonly kind: string }>(
    name: string,
    run: (time: StepTime) => Promise<Outcome>,
  ): Promise<Outcome | Failure> {
    if (this.remainingMs() <= 0)
      return this.#note(name, 0, failure('lease-lost', { secret: this.#about.secret, step: name }));
    const startedMs = this.#dependencies.elapsedMs();
    const deadline = this.#deadline();
    try {
      const outcome = await run({ signal: deadline.signal, remainingMs: this.remainingMs });
      return this.#note(name, this.#dependencies.elapsedMs() - startedMs, outcome);
    } finally {
      deadline.stop();
    }
  }

  #note<Outcome extends { readonly kind: string }>(name: string, ms: number, outcome: Outcome): Outcome {
    this.#steps.push({ name, ms: Math.round(ms * 10) / 10, outcome: isFailure(outcome) ? outcome.code : outcome.kind });
    this.#dependencies.progress.step(this.#about, this.#steps);
    return outcome;
  }

  /** Aborts when the lease runs out, looking again whenever it was renewed in the meantime, or at the step's own limit. */
  #deadline(): { readonly signal: AbortSignal; readonly stop: () => void } {
    const controller = new AbortController();
    const limitAtMs = this.#dependencies.elapsedMs() + stepLimitMs;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const leftMs = Math.min(this.remainingMs(), limitAtMs - this.#dependencies.elapsedMs());
      if (leftMs <= 0) controller.abort();
      else timer = setTimeout(arm, leftMs);
    };
    arm();
    return { signal: controller.signal, stop: () => clearTimeout(timer) };
  }
}
