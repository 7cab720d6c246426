/**
 * The seeded simulator. `SEED=7 npx vitest run simulator` plays that history again and prints it; `SIMULATIONS=100000` plays so many.
 */
import { expect, test } from 'vitest';
import { strategies } from '../../shared/contract/strategy.ts';
import { Simulation } from './simulation.ts';

const only = process.env['SEED'];
const first = only === undefined ? Math.floor(Math.random() * 1e9) : Number(only);
const count = only === undefined ? Number(process.env['SIMULATIONS'] ?? 1_000) : 1;

test(`${count} random histories from seed ${first} keep every promise and come to rest`, async () => {
  const failed: string[] = [];
  let versions = 0;
  for (let seed = first; seed < first + count && failed.length < 5; seed++) {
    const strategy = strategies[seed % strategies.length] ?? strategies[0];
    const simulation = new Simulation(seed, strategy);
    try {
      versions += (await simulation.play(20 + (seed % 90))).versions;
    } catch (error) {
      const detail = error instanceof Error ? (only === undefined ? error.message : error.stack) : String(error);
      const trail = only === undefined ? '' : `\n${simulation.trail.join('\n')}`;
      failed.push(`SEED=${seed} (${strategy}): ${detail}${trail}`);
    }
  }
  process.stdout.write(`simulator: ${count} histories from seed ${first}, ${versions} versions\n`);
  expect(failed).toEqual([]);
  expect(versions, 'versions made').toBeGreaterThan(count);
}, 600_000);
