/** The timer trigger. Source: TimerListener and ScheduleMonitor of Azure/azure-webjobs-sdk-extensions. */
import type { RetryContext, RetryOptions } from './core-types.ts';
import type { Outcome, Trigger } from './invoke.ts';
import type { Listener } from './queue-listener.ts';
import { isMonitored, missedRun, type Schedule, type TimerStatus } from './schedule.ts';

export interface TimerStore {
  read(functionName: string): Promise<TimerStatus | undefined>;
  write(functionName: string, status: TimerStatus): Promise<void>;
}

export interface TimerOptions {
  readonly functionName: string;
  readonly schedule: Schedule;
  readonly runOnStartup: boolean;
  readonly useMonitor: boolean;
  readonly retry: RetryOptions | undefined;
  readonly store: TimerStore;
  readonly run: (trigger: Trigger) => Promise<Outcome>;
  readonly log: (level: 'error', message: string) => void;
}

/** Runs the function on its schedule, one run at a time, until stopped. */
export function listenToTimer(options: TimerOptions): Listener {
  const stopped = new AbortController();
  tick(options, stopped.signal).catch((error: unknown) =>
    options.log('error', `The timer of '${options.functionName}' ended: ${String(error)}`),
  );
  return { stop: () => stopped.abort() };
}

async function tick(options: TimerOptions, stopped: AbortSignal): Promise<void> {
  const { schedule, functionName, store } = options;
  const monitored = options.useMonitor && isMonitored(schedule, new Date());
  let status = monitored ? await store.read(functionName) : undefined;
  const ran = async (isPastDue: boolean) => {
    const last = new Date();
    await runWithRetries(options, timerTrigger(status, isPastDue, monitored), stopped);
    status = { Last: last, Next: schedule.next(new Date()), LastUpdated: last };
    if (monitored) await store.write(functionName, status);
  };
  const pastDue = missedRun(schedule, status, new Date());
  if (pastDue || options.runOnStartup) await ran(pastDue);
  if (monitored && status === undefined) {
    const now = new Date();
    status = { Last: new Date(0), Next: schedule.next(now), LastUpdated: now };
    await store.write(functionName, status);
  }
  // The next time is counted from the end of a run, so runs never overlap and a long one skips what it covered.
  while (!stopped.aborted) {
    await until(schedule.next(new Date()), stopped);
    if (!stopped.aborted) await ran(false);
  }
}

/** What a timer function is given; also for a run an administrator asked for. */
export function timerTrigger(status: TimerStatus | undefined, isPastDue: boolean, monitored: boolean): Trigger {
  const info = {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: monitored ? (status ?? null) : null,
    IsPastDue: isPastDue,
  };
  return { data: { json: JSON.stringify(info) }, reason: 'Timer fired' };
}

async function runWithRetries(options: TimerOptions, trigger: Trigger, stopped: AbortSignal): Promise<void> {
  const maxRetryCount = options.retry?.maxRetryCount ?? 0;
  let exception: { message: string } | undefined;
  for (let retryCount = 0; ; retryCount++) {
    const retryContext: RetryContext | undefined =
      retryCount === 0 ? undefined : { retryCount, maxRetryCount, ...(exception === undefined ? {} : { exception }) };
    const outcome = await options.run(retryContext === undefined ? trigger : { ...trigger, retryContext });
    // -1 means without end.
    if (outcome.kind === 'succeeded' || (maxRetryCount >= 0 && retryCount >= maxRetryCount) || stopped.aborted) return;
    exception = { message: outcome.error instanceof Error ? outcome.error.message : String(outcome.error) };
    await until(new Date(Date.now() + retryDelayMs(options.retry, retryCount)), stopped);
  }
}

function retryDelayMs(retry: RetryOptions | undefined, retryCount: number): number {
  if (retry?.retryStrategy === 'exponentialBackoff') {
    const minimum = retry.minimumInterval?.seconds ?? 1;
    return Math.min(minimum * 2 ** retryCount, retry.maximumInterval?.seconds ?? minimum) * 1000;
  }
  return (retry?.delayInterval?.seconds ?? 0) * 1000;
}

const longestTimeoutMs = 86_400_000;

// Timers of the runtime overflow after 24 days and may fire a little early; both are slept over.
async function until(time: Date, stopped: AbortSignal): Promise<void> {
  for (let left = time.getTime() - Date.now(); left > 0 && !stopped.aborted; left = time.getTime() - Date.now()) {
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        stopped.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(left, longestTimeoutMs));
      stopped.addEventListener('abort', end);
    });
  }
}
