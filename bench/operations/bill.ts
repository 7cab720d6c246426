/** What a month costs by its calls: counts of the bench, times prices. Pure. What is not paid for by the call (storage, logs) is left out. */
import { formerQueues, poisonQueues, queueNames } from '../../shared/contract/queue-names.ts';

/**
 * US dollars, pay as you go, East US; storage general purpose v2, LRS, hot. As told on `asOf` by people who read the price list: the list itself
 * was not opened here, so put in those of your region and day.
 */
export const prices = {
  asOf: '2026-11-27',
  vaultPer10000: 0.03,
  queuePer10000: 0.004,
  tablePer10000: 0.000_36,
  /** The dearest class: whether a lease counts as a write is not known. */
  blobPer10000: 0.05,
  executionsPerMillion: 0.4,
  onDemandPerGbSecond: 0.000_026,
  alwaysReadyPerGbSecond: 0.000_004,
} as const;

export interface Calls {
  readonly vault: number;
  readonly queue: number;
  readonly table: number;
  readonly blob: number;
  readonly executions: number;
}

/** Counted by the bench, from event to retired, without a channel (docs/performance.md). */
export const measured: Calls = { vault: 9, queue: 13, table: 16, blob: 4, executions: 3 };

export const monthSeconds = 30 * 86_400;

/** In dollars, without the time that executions take. */
export function priceOf({ vault, queue, table, blob, executions }: Calls): number {
  const perCall =
    (vault * prices.vaultPer10000 +
      queue * prices.queuePer10000 +
      table * prices.tablePer10000 +
      blob * prices.blobPer10000) /
    10_000;
  return perCall + (executions * prices.executionsPerMillion) / 1_000_000;
}

/** Looks of one instance that runs all functions of queues, all month, and finds nothing. */
export function looksOfMonth(pollingSeconds: number): number {
  return (Object.keys(queueNames).length * monthSeconds) / pollingSeconds;
}

/** Queues that every sweep reads, because no function waits for them. */
export const readBySweep = poisonQueues.length + Object.keys(formerQueues).length;

const sweepsOfMonth = 2_880;

/** A sweep, by the number of secrets in its vault. */
export function sweepsOf(secrets: number): Calls {
  const vault = Math.max(1, Math.ceil(secrets / 25)) * sweepsOfMonth;
  return {
    ...{ vault, queue: readBySweep * sweepsOfMonth, table: 10 * sweepsOfMonth, blob: 0 },
    executions: sweepsOfMonth,
  };
}

/** `rotation`: what the bench counted from event to retired. One new version of each secret a month. */
export function rotationsOf(secrets: number, rotation: Calls): Calls {
  const times = (count: number) => count * secrets;
  return {
    ...{ vault: times(rotation.vault), queue: times(rotation.queue), table: times(rotation.table) },
    ...{ blob: times(rotation.blob), executions: times(rotation.executions) },
  };
}

/** An instance that is always ready for HTTP calls, idle. */
export function alwaysReady(memoryMB: number, instances = 1): number {
  return (memoryMB / 1_024) * monthSeconds * instances * prices.alwaysReadyPerGbSecond;
}

/** Reads of one process that follows so many secrets by time alone. */
export function readsOf(secrets: number, intervalSeconds: number, jitterSeconds: number): number {
  return ((secrets * monthSeconds) / (intervalSeconds + jitterSeconds / 2)) * (prices.vaultPer10000 / 10_000);
}
