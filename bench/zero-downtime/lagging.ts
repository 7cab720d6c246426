/** One consumer follows, the other goes on with what it read first: who waits for whom, until when, and what is said of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { BenchCase, BenchOptions } from '../bench.ts';
import { startConsumer } from './consumer.ts';
import { missing, rotate, untilRetired } from './operator.ts';
import { consumerNames, type Stage } from './stage.ts';
import { startLoad } from './steady-load.ts';

const perSecond = 50;
const pauseMs = 100;

export async function runLagging(stage: Stage, { progress }: BenchOptions): Promise<BenchCase> {
  const { lagging: target, log } = stage;
  const { follows, lags } = consumerNames;
  const consumer = await startConsumer(stage, target, follows);
  const load = startLoad(consumer.query, perSecond);
  const laggard = await startLaggard(target.value);
  try {
    const rotated = await rotate(stage, target.secret);
    const { waitingFor = '' } = await log.said('retirement-waits', rotated.rotationId, 30_000);
    const named = await missing(stage, target.secret, rotated.newVersion);
    progress(`waits for ${waitingFor}; the API names ${named.join(', ')}`);
    const { evidence, cut = '' } = await untilRetired(stage, target.secret, rotated);
    progress(`retired by ${evidence}; cut: ${cut}`);
    const figures = await load.stop();
    return {
      name: 'lagging-consumer',
      strategy: target.strategy,
      rotations: 1,
      queries: figures.queries,
      failedQueries: figures.failedQueries,
      perSecond: figures.perSecond,
      longestMs: figures.longestMs,
      // As a consumer that has not acknowledged, by log and API, and as a session that is seen.
      namedWhileWaiting: named.join() === lags && waitingFor.includes(lags) && waitingFor.includes(session),
      acceptedUntilDeadline: laggard.refusedAtMs() >= rotated.retireByMs,
      cutAtDeadline: evidence === 'deadline' && cut.includes(lags) && cut.includes(session),
      oldRefused: !(await target.accepts(rotated.oldValue)),
    };
  } finally {
    await laggard.stop();
    await load.stop();
    await consumer.end();
  }
}

/** How the database names its session. */
const session = 'nightly-reports';

/** Holds one session, and logs in anew all the time, both with the value that it was given once. */
async function startLaggard(value: string) {
  const held = new Client({ connectionString: value, application_name: session });
  held.on('error', () => undefined);
  await held.connect();
  let running = true;
  let refusedAtMs = Number.POSITIVE_INFINITY;
  const work = (async () => {
    while (running) {
      const anew = new Client({ connectionString: value, application_name: session });
      try {
        await anew.connect();
        await anew.query('SELECT count(*) FROM visits');
      } catch {
        // Whatever the reason, it is what a consumer notices.
        refusedAtMs = Math.min(refusedAtMs, Date.now());
      } finally {
        await anew.end();
      }
      await sleep(pauseMs);
    }
  })();
  return {
    /** Of the first login that did not succeed, in ms since 1970; infinite while there is none. */
    refusedAtMs: () => refusedAtMs,
    async stop() {
      running = false;
      await work;
      await held.end();
    },
  };
}
