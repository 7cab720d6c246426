/** A seeded part of what `npm run fuzz` throws at everything that comes from outside. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { canary, holdsNoSecret, target } from './target.ts';
import { inputsOf, targets } from './targets.ts';

const seed = 20_260_101;

test.each(targets.map((one) => [one.name, one] as const))(
  '%s: every input has the outcome that is promised',
  async (_, one) => {
    const { inputs, failed } = await one.fuzz({ runs: 200, seed });
    expect(failed).toBeUndefined();
    expect(inputs).toBe(200);
  },
);

describe('the fuzzers themselves', () => {
  const broken = target('broken', 1, fc.nat(), (number) => {
    if (number > 100) throw new Error('too large');
  });

  test('shrink what fails, and their path leads back to it', async () => {
    const { failed } = await broken.fuzz({ runs: 100, seed });
    expect(failed).toMatchObject({ seed, input: '101', why: expect.stringContaining('too large') });
    const again = await broken.fuzz({ runs: 100, seed, path: failed?.path ?? '' });
    expect(again.failed?.input).toBe('101');
    expect(again.inputs).toBe(1);
  });

  test('find a secret that comes back, plain or encoded', () => {
    for (const text of [canary, Buffer.from(`app:${canary}`).toString('base64'), Buffer.from(canary).toString('hex')]) {
      expect(() => holdsNoSecret('the answer', { detail: `x ${text}` })).toThrow('the answer holds the secret');
    }
    expect(() => holdsNoSecret('the answer', { detail: 'nothing' })).not.toThrow();
  });

  test('cover every queue, and spend all of the inputs', () => {
    expect(Object.keys(queueNames).length).toBe(5);
    const all = targets.reduce((sum, one) => sum + inputsOf(one, 100_000), 0);
    expect(Math.abs(all - 100_000)).toBeLessThan(targets.length);
  });
});

const main = fileURLToPath(new URL('main.ts', import.meta.url));

function run(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { encoding: 'utf8' }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
}

describe('npm run fuzz', () => {
  test('prints each target with its count, and the seed', async () => {
    const { code, stdout } = await run('--runs', '110', '--seed', '7');
    expect(code).toBe(0);
    for (const { name } of targets) expect(stdout).toMatch(new RegExp(`^${name} +\\d+ inputs`, 'm'));
    expect(stdout).toMatch(/^in all +\d+ inputs +[\d.]+ s, seed 7$/m);
  });

  test('speaks JSON to scripts', async () => {
    const { code, stdout } = await run('--runs', '20', '--seed', '7', '--only', 'principals', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ seed: 7, inputs: 20, targets: [{ target: 'principals', inputs: 20 }] });
  });

  test.each([
    [['--only', 'nothing'], 'one of events, messages, requests'],
    [['--runs', 'many'], '--runs takes a whole number'],
    [['--runs', '0'], '--runs is at least 1'],
  ])('refuses %j with exit code 2 and says why', async (args, why) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });
});
