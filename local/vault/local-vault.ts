/** One vault without its port: secrets, clock, events, limits, faults and counts put together. */
import type { Answer } from './answer.ts';
import { Calls } from './calls.ts';
import { type Clock, createClock } from './clock.ts';
import { type VaultEventListener, VaultEvents, type VaultEventType } from './events.ts';
import { ExpirySchedule } from './expiry.ts';
import { Faults } from './faults.ts';
import { type LimitOptions, Limits } from './limits.ts';
import { type OperationRequest, perform } from './operations.ts';
import { Policies, type PolicyOptions } from './policies.ts';
import type { Shelf } from './shelf.ts';
import { SecretStore, type StoredVersion, type VersionInput } from './store.ts';
import { type Recovery, Wire } from './wire.ts';

export interface VaultOptions {
  /** Name in events and answers: 3 to 24 letters, digits and hyphens. Default `local`. */
  readonly name?: string;
  /** Default: its own, on real time. */
  readonly clock?: Clock;
  /** Default: the documented limits, on. */
  readonly limits?: Partial<LimitOptions>;
  /** What all vaults of one subscription may be called together. Default: no bound. */
  readonly subscription?: Limits;
  /** Azure Policies assigned with effect Deny. Default: none. */
  readonly policies?: Partial<PolicyOptions>;
  /** Retention of deleted secrets in days, 7 to 90. Default 90. */
  readonly recoverableDays?: number;
  /** Whether purging is forbidden. Default no. */
  readonly purgeProtection?: boolean;
  /** How long a deletion, recovery or purge takes, in ms of the clock. Default 0; the service takes some seconds. */
  readonly settleMs?: number;
}

/** What a version is made of when it is put in directly. */
export interface Put extends VersionInput {
  readonly value: string;
}

export class LocalVault {
  readonly name: string;
  readonly clock: Clock;
  readonly faults = new Faults();
  readonly limits: Limits;
  readonly subscription: Limits | undefined;
  readonly calls = new Calls();
  readonly policies: Policies;
  readonly events: VaultEvents;
  readonly shelf: Shelf = { keys: [], certificates: [], closed: false };
  readonly #store: SecretStore;
  readonly #schedule: ExpirySchedule;
  readonly #recovery: Recovery;
  readonly #purgeProtection: boolean;

  /** @param address how events name the vault: scheme, host and port. Throws a RangeError that names a wrong option. */
  constructor(options: VaultOptions, address: string) {
    this.name = checkedName(options.name ?? 'local');
    this.clock = options.clock ?? createClock();
    this.limits = new Limits(options.limits);
    this.subscription = options.subscription;
    this.policies = new Policies(options.policies);
    this.#purgeProtection = options.purgeProtection ?? false;
    this.#recovery = recovery(options.recoverableDays ?? 90, this.#purgeProtection);
    this.events = new VaultEvents(this.clock, { name: this.name, address });
    this.#schedule = new ExpirySchedule({
      nowSeconds: () => this.clock.nowSeconds(),
      find: (name) => this.#store.find(name),
      emit: (type, secret, version) => this.events.emit(type, secret, version),
    });
    this.#store = new SecretStore({
      clock: this.clock,
      recoverableDays: this.#recovery.recoverableDays,
      settleMs: options.settleMs ?? 0,
      numberVersion: () => this.events.numberVersion(),
      listener: {
        created: (secret, version) => {
          this.#schedule.watch(secret, version);
          this.events.emit('Microsoft.KeyVault.SecretNewVersionCreated', secret, version);
        },
        rescheduled: (secret, version) => this.#schedule.watch(secret, version),
      },
    });
  }

  /** Number of secrets that are not deleted. */
  get size(): number {
    return this.#store.size;
  }

  /** Same as `events.subscribe`: told of versions made from now on. The listener must not throw. Returns what ends it. */
  onEvent(listener: VaultEventListener, types?: readonly VaultEventType[]): () => void {
    return this.events.subscribe(listener, types);
  }

  /**
   * Makes a version without a call: no limit, no policy, no fault, no count; events as ever. For filling a vault. Throws where the name is
   * soft-deleted. Called again, it makes another version.
   */
  put(name: string, { value, ...input }: Put): StoredVersion {
    const written = this.#store.set(name, value, input);
    if (written.kind === 'hindered')
      throw new Error(`${name} cannot be put into vault ${this.name}: it is ${written.by}.`);
    return written.version;
  }

  /** All versions of a secret in the order they were made, as they are stored; none of an unknown one. Looks without a call. */
  versions(name: string): readonly StoredVersion[] {
    return [...(this.#store.find(name)?.versions.values() ?? [])];
  }

  /** Emits what has become due. Runs by itself when the clock is moved, and on the emulator's tick. */
  evaluate(): void {
    this.#schedule.evaluate();
  }

  /** Forgets secrets, faults and counts, and puts the clock back to real time. Subscriptions, limits and policies stay. */
  reset(): void {
    this.#store.clear();
    this.#schedule.clear();
    this.faults.clear();
    this.calls.reset();
    this.clock.reset();
  }

  /** Carries out one operation; `base` is the address the caller used. */
  perform(request: OperationRequest, base: string): Answer {
    return perform(
      {
        vault: this.name,
        store: this.#store,
        wire: new Wire(base, this.#recovery),
        purgeProtection: this.#purgeProtection,
        numberVersion: () => this.events.numberVersion(),
        denial: (name, input) => this.policies.refusal(name, input, this.clock.nowSeconds()),
      },
      request,
    );
  }
}

function checkedName(name: string): string {
  if (!/^[a-z][a-z0-9-]{1,22}[a-z0-9]$/i.test(name))
    throw new RangeError(
      `"${name}" is no name for a vault: give 3 to 24 letters, digits and hyphens, beginning with a letter.`,
    );
  return name;
}

/** The level as the service names it: retention shortened or not, purging allowed or not. */
function recovery(recoverableDays: number, purgeProtection: boolean): Recovery {
  if (!Number.isInteger(recoverableDays) || recoverableDays < 7 || recoverableDays > 90)
    throw new RangeError(`\`recoverableDays\` must be a whole number from 7 to 90, not ${recoverableDays}.`);
  const level = recoverableDays < 90 ? 'CustomizedRecoverable' : 'Recoverable';
  return { recoveryLevel: purgeProtection ? level : `${level}+Purgeable`, recoverableDays };
}
