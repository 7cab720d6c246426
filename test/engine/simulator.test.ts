/**
 * The seeded simulator: a sample of histories that stays the same, so that it fails for what was changed. `SEED=7` begins elsewhere, and
 * `npm run simulate` plays as many as you like.
 */
import { expect, test } from 'vitest';
import { strategies } from '../../shared/contract/strategy.ts';
import { playHistories } from './histories.ts';

const seed = Number(process.env['SEED'] ?? 400_000);
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
