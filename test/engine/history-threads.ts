/** The same histories as `playHistories`, on several processors: what they print is in the order of the seeds, however many there are. */
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { type OnePlayed, type Plan, type Played, playHistories, Tally } from './histories.ts';

/** Histories that a thread plays before it asks for more. */
const atOnce = 50;

const result = z.object({ first: z.number(), played: z.array(z.custom<OnePlayed>()) });

/** Plays histories from the seed on. The same plan gives the same result for any number of threads. */
export async function playOnThreads(plan: Plan, threads: number): Promise<Played> {
  if (threads <= 1 || plan.runs <= atOnce) return playHistories(plan);
  const tally = new Tally(plan);
  const came = new Map<number, readonly OnePlayed[]>();
  let [given, taken] = [plan.seed, plan.seed];
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./history-thread.ts', import.meta.url)));
  const give = (worker: Worker): void => {
    if (given >= plan.seed + plan.runs) return;
    const { strategy, world, months } = plan;
    worker.postMessage({
      first: given,
      runs: Math.min(atOnce, plan.seed + plan.runs - given),
      strategy,
      world,
      months,
    });
    given += atOnce;
  };
  /** In order: what comes early waits. */
  const take = async (): Promise<void> => {
    for (let next = came.get(taken); next !== undefined && !tally.isOver; next = came.get(taken)) {
      came.delete(taken);
      taken += atOnce;
      for (const one of next) if (!tally.isOver) await tally.add(one);
    }
  };
  try {
    await new Promise<void>((resolve, reject) => {
      let turn = Promise.resolve();
      for (const worker of workers) {
        worker.on('error', reject);
        worker.on('message', (message: unknown) => {
          const { first, played } = result.parse(message);
          came.set(first, played);
          give(worker);
          turn = turn.then(take).then(() => (tally.isOver ? resolve() : undefined), reject);
        });
        give(worker);
      }
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return tally.played;
}
