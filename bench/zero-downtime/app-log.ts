/** What the app says while it runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { LogRecord } from '../../local/functions-host/index.ts';

const line = z.looseObject({
  event: z.string(),
  secret: z.string().optional(),
  rotationId: z.string().optional(),
  evidence: z.string().optional(),
  cut: z.string().optional(),
  waitingFor: z.string().optional(),
  code: z.string().optional(),
  detail: z.string().optional(),
});

export type Line = z.infer<typeof line>;

export interface AppLog {
  readonly hear: (record: LogRecord) => void;
  readonly find: (event: string, rotationId: string) => Line | undefined;
  /** Resolves with the first line of this event about the rotation; rejects with the last lines when it does not come in time. */
  readonly said: (event: string, rotationId: string, withinMs: number) => Promise<Line>;
}

/** How many records are shown when something does not come. */
const shown = 30;

export function appLog(): AppLog {
  const lines: Line[] = [];
  const latest: string[] = [];
  const find = (event: string, rotationId: string) =>
    lines.find((one) => one.event === event && one.rotationId === rotationId);
  return {
    hear(record) {
      latest.push(`${record.category} ${record.level} ${record.message}`);
      if (latest.length > shown) latest.shift();
      if (record.category !== 'user') return;
      const parsed = line.safeParse(JSON.parse(record.message));
      if (parsed.success) lines.push(parsed.data);
    },
    find,
    async said(event, rotationId, withinMs) {
      const deadline = performance.now() + withinMs;
      for (;;) {
        const found = find(event, rotationId);
        if (found !== undefined) return found;
        if (performance.now() > deadline) {
          throw new Error(
            `the app did not say "${event}" of ${rotationId} in time; last it said:\n${latest.join('\n')}`,
          );
        }
        await sleep(50);
      }
    },
  };
}
