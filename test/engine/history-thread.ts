/** One thread of `playOnThreads`: plays the histories that it is given. */
import { parentPort } from 'node:worker_threads';
import { z } from 'zod';
import { strategies } from '../../shared/contract/strategy.ts';
import { type OnePlayed, playOne, worlds } from './histories.ts';

const given = z.object({
  first: z.number(),
  runs: z.number(),
  strategy: z.enum(strategies).optional(),
  world: z.enum(worlds).optional(),
  months: z.number().optional(),
});

parentPort?.on('message', async (message: unknown) => {
  const { first, runs, ...only } = given.parse(message);
  const played: OnePlayed[] = [];
  for (let seed = first; seed < first + runs; seed++) played.push(await playOne(seed, only));
  parentPort?.postMessage({ first, played });
});
