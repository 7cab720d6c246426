/**
 * A leaked password with many sessions on it: how soon all of them are gone once the first one is told to end, and whether another
 * application of the same server notices anything.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase, BenchOptions } from '../bench.ts';
import { startConsumer } from './consumer.ts';
import { type Held, type Leak, startMysqlLeak, startPostgresLeak } from './leaks.ts';
import { rotate } from './operator.ts';
import { consumerNames, overlaps, putSecrets, type Stage } from './stage.ts';
import { startLoad } from './steady-load.ts';

const held = { full: 500, quick: 40 } as const;
/** A server takes so many logins at a time without refusing one. */
const atOnce = 20;
const patienceMs = 5_000;
/** Queries of the bystander. */
const perSecond = 50;

/** One server after the other. */
export async function runEmergencies(stage: Stage, options: BenchOptions): Promise<readonly BenchCase[]> {
  const count = options.quick ? held.quick : held.full;
  const cases: BenchCase[] = [];
  for (const start of [startPostgresLeak, startMysqlLeak]) {
    const leak = await start(count);
    try {
      cases.push(await beside(stage, leak, () => endAll(stage, leak, count, options)));
    } finally {
      await leak.close();
    }
  }
  return cases;
}

/** With the load of the bystander from before the first session is held until after the last one is gone. */
async function beside(stage: Stage, { name, leaked, bystander }: Leak, work: () => Promise<object>) {
  const { follows } = consumerNames;
  putSecrets(stage.azure, leaked, '', overlaps.followed);
  putSecrets(stage.azure, bystander, follows, overlaps.followed);
  const consumer = await startConsumer(stage, bystander, follows);
  const load = startLoad(consumer.query, perSecond);
  try {
    const seen = await work();
    const { firstError: _first, ...figures } = await load.stop();
    return { name, strategy: leaked.strategy, rotations: 1, ...figures, ...seen };
  } finally {
    await load.stop();
    await consumer.end();
  }
}

async function endAll(stage: Stage, { name, leaked, hold }: Leak, count: number, { progress }: BenchOptions) {
  const sessions: Held[] = [];
  try {
    for (let at = 0; at < count; at += atOnce) {
      const wave = Array.from({ length: Math.min(atOnce, count - at) }, () => hold(leaked.value));
      sessions.push(...(await Promise.all(wave)));
    }
    progress(`${name}: ${count} sessions are held`);
    const askedMs = performance.now();
    const rotated = await rotate(stage, leaked.secret, 'emergency');
    // The API answers when it is over; the last sessions may hear of their end a moment later.
    const deadline = performance.now() + patienceMs;
    while (sessions.some(({ endedMs }) => endedMs() === undefined) && performance.now() < deadline) await sleep(20);
    const ends = sessions.flatMap(({ endedMs }) => endedMs() ?? []);
    return {
      heldSessions: count,
      sessionsLeft: count - ends.length,
      endedWithinMs: Math.round(Math.max(...ends) - Math.min(...ends)),
      allGoneAfterMs: Math.round(Math.max(...ends) - askedMs),
      oldRefused: !(await leaked.accepts(rotated.oldValue)),
    };
  } finally {
    await Promise.all(sessions.map((one) => one.end()));
  }
}
