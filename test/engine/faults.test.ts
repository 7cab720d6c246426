/** Each fault of the engine that the simulator is there to see, put back once, is caught within a bounded number of histories. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Fault, faults } from './faults.ts';
import { worlds } from './histories.ts';
import { textWith } from './put-back.ts';

const root = join(import.meta.dirname, '..', '..');

/** Every fault was caught within a fraction of these; without a fault none of them breaks a promise. */
const histories = ['--seed', '400000', '--runs', '2500', '--threads', '1'];

/** Exit code and output of the simulator with that fault, or with none. */
async function simulate(
  fault: string,
  { strategy, world = 'rotations' }: Pick<Fault, 'strategy' | 'world'>,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const only = strategy === undefined ? [] : ['--strategy', strategy];
  const args = [
    '--import',
    './test/engine/put-back.ts',
    './test/engine/simulate.ts',
    ...histories,
    '--world',
    world,
    ...only,
  ];
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, FAULT: fault } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}

test.each(worlds)(
  '%s: without a fault no promise is broken in the same histories',
  async (world) => {
    const { code, said } = await simulate('', { world });
    expect(said).toContain('0 broke a promise');
    expect(code).toBe(0);
  },
  300_000,
);

test.each(faults)(
  '$name: caught',
  async (fault) => {
    expect(textWith(fault)).toContain(fault.replacement);
    const { code, said } = await simulate(fault.name, fault);
    expect(said).toContain('1 broke a promise');
    expect(code).toBe(1);
  },
  180_000,
);

test('every fault has a name of its own', () => {
  expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
});
