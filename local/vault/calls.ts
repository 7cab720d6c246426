/** What was asked of the vault: counts for all time, and the latest calls one by one. Never a value, a tag or a token. */
import { type Operation, operations } from './route.ts';

export interface Call {
  /** From 1, in the order the calls came. */
  readonly number: number;
  readonly operation: Operation;
  /** Empty for operations on the whole vault. */
  readonly name: string;
  readonly version?: string;
  /** Status of the answer; 0 when the connection was cut instead. */
  readonly status: number;
  /** By the vault's clock. */
  readonly at: Date;
}

export type CallCounts = Readonly<Record<Operation, number>>;

const kept = 10_000;

export class Calls {
  readonly #counts = new Map<Operation, number>();
  #latest: Call[] = [];
  #total = 0;
  #challenges = 0;

  record(call: Omit<Call, 'number'>): void {
    this.#total++;
    this.#counts.set(call.operation, this.count(call.operation) + 1);
    this.#latest.push({ number: this.#total, ...call });
    // Cut in halves, so that keeping the list short costs nothing per call.
    if (this.#latest.length >= 2 * kept) this.#latest = this.#latest.slice(-kept);
  }

  recordChallenge(): void {
    this.#challenges++;
  }

  /** Calls with a token, answered or not. */
  get total(): number {
    return this.#total;
  }

  /** Answers of 401: a client's first call costs one. They are in no other count. */
  get challenges(): number {
    return this.#challenges;
  }

  count(operation: Operation): number {
    return this.#counts.get(operation) ?? 0;
  }

  get counts(): CallCounts {
    const count = (operation: Operation) => this.count(operation);
    return {
      set: count('set'),
      get: count('get'),
      versions: count('versions'),
      update: count('update'),
      list: count('list'),
      delete: count('delete'),
      'list-deleted': count('list-deleted'),
      'get-deleted': count('get-deleted'),
      recover: count('recover'),
      purge: count('purge'),
      backup: count('backup'),
      restore: count('restore'),
    };
  }

  /** The latest calls, oldest first: at least the last 10,000. */
  get latest(): readonly Call[] {
    return this.#latest;
  }

  reset(): void {
    for (const operation of operations) this.#counts.delete(operation);
    this.#latest = [];
    this.#total = 0;
    this.#challenges = 0;
  }
}
