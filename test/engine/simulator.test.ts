/** The seeded simulator. `SEED=7 npx vitest run simulator` begins there; `npm run simulate` plays as many histories as you like. */
import { expect, test } from 'vitest';
import { strategies } from '../../shared/contract/strategy.ts';
import { playHistories } from './histories.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9));
const runs = Number(process.env['SIMULATIONS'] ?? 1_000);

test(`${runs} random histories from seed ${seed} keep every promise and come to rest`, async () => {
  const played = await playHistories({ seed, runs, mostBroken: 3 });
  const { histories, versions, crashes, emergencies, healed, broken } = played;
  process.stdout.write(
    `simulator: ${histories} histories from seed ${seed}, ${versions} versions, ${crashes} crashes, ${emergencies} emergencies, ${healed} healed\n`,
  );
  expect(broken.map((each) => `npm run simulate -- --seed ${each.seed} --runs 1: ${each.what}`)).toEqual([]);
  expect(versions, 'versions made').toBeGreaterThan(runs);
}, 600_000);

test('the same seed plays the same histories', async () => {
  const play = () => playHistories({ seed: 11, runs: strategies.length * 3 });
  expect(await play()).toEqual(await play());
}, 60_000);
