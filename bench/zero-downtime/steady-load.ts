/**
 * Queries at a steady pace, whether the ones before are answered or not: a target that answers late gets no pause from it, as it gets
 * none from users.
 */

export interface LoadFigures {
  readonly queries: number;
  readonly failedQueries: number;
  /** Over the whole run. */
  readonly perSecond: number;
  /** Of one query, from the moment it was to be sent, in ms. */
  readonly longestMs: number;
  readonly firstError?: string;
}

export interface SteadyLoad {
  /** Sends no more, waits for every answer, and gives the figures. May be called again. */
  stop(): Promise<LoadFigures>;
}

const tickMs = 10;

export function startLoad(query: () => Promise<unknown>, perSecond: number): SteadyLoad {
  const startedMs = performance.now();
  const waiting = new Set<Promise<void>>();
  let sent = 0;
  let failed = 0;
  let longestMs = 0;
  let firstError: string | undefined;

  const send = async (dueMs: number): Promise<void> => {
    try {
      await query();
    } catch (error) {
      failed += 1;
      firstError ??= error instanceof Error ? error.message : String(error);
    }
    longestMs = Math.max(longestMs, performance.now() - dueMs);
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1000);
    for (; sent < due; sent++) {
      const one = send(startedMs + (sent * 1000) / perSecond).finally(() => waiting.delete(one));
      waiting.add(one);
    }
  }, tickMs);

  let seconds: number | undefined;
  return {
    async stop() {
      clearInterval(timer);
      seconds ??= (performance.now() - startedMs) / 1000;
      await Promise.all(waiting);
      return {
        queries: sent,
        failedQueries: failed,
        perSecond: Math.round(sent / seconds),
        longestMs: Math.round(longestMs),
        ...(firstError === undefined ? {} : { firstError }),
      };
    },
  };
}
