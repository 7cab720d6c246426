/** A leaked password with many sessions on it: how soon all of them are gone once the first one is told to end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { startPostgres } from '../../local/postgres.ts';
import type { BenchCase, BenchOptions } from '../bench.ts';
import { rotate } from './operator.ts';
import { overlaps, putSecrets, type Stage } from './stage.ts';
import { startPostgresTarget } from './targets.ts';

const held = { full: 500, quick: 40 } as const;
/** A server takes so many logins at a time without refusing one. */
const atOnce = 20;
const patienceMs = 5_000;

export async function runEmergency(stage: Stage, { quick, progress }: BenchOptions): Promise<BenchCase> {
  const count = quick ? held.quick : held.full;
  const postgres = await startPostgres({ settings: { max_connections: String(count + 50), log_statement: 'none' } });
  const sessions: Held[] = [];
  try {
    const target = await startPostgresTarget(postgres, 'leaked');
    putSecrets(stage.azure, target, '', overlaps.followed);
    for (let at = 0; at < count; at += atOnce) {
      const wave = Array.from({ length: Math.min(atOnce, count - at) }, () => hold(target.value));
      sessions.push(...(await Promise.all(wave)));
    }
    progress(`emergency: ${count} sessions are held`);
    const askedMs = performance.now();
    const rotated = await rotate(stage, target.secret, 'emergency');
    // The API answers when it is over; the last sessions may hear of their end a moment later.
    const deadline = performance.now() + patienceMs;
    while (sessions.some(({ endedMs }) => endedMs() === undefined) && performance.now() < deadline) await sleep(20);
    const ends = sessions.flatMap(({ endedMs }) => endedMs() ?? []);
    return {
      name: 'emergency',
      strategy: target.strategy,
      rotations: 1,
      heldSessions: count,
      sessionsLeft: count - ends.length,
      endedWithinMs: Math.round(Math.max(...ends) - Math.min(...ends)),
      allGoneAfterMs: Math.round(Math.max(...ends) - askedMs),
      oldRefused: !(await target.accepts(rotated.oldValue)),
    };
  } finally {
    await Promise.all(sessions.map((one) => one.end()));
    await postgres.close();
  }
}

interface Held {
  /** When it was ended, by the clock of this process; undefined while it goes on. */
  readonly endedMs: () => number | undefined;
  end(): Promise<void>;
}

async function hold(value: string): Promise<Held> {
  const client = new Client({ connectionString: value, application_name: 'leaked' });
  let endedMs: number | undefined;
  client.on('error', () => undefined);
  client.on('end', () => {
    endedMs ??= performance.now();
  });
  await client.connect();
  return { endedMs: () => endedMs, end: () => client.end() };
}
