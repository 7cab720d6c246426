import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { encoding: 'utf8' }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
}

const report = z.object({
  points: z.array(
    z.looseObject({ effect: z.string(), call: z.number(), when: z.string(), wrong: z.array(z.string()) }),
  ),
  notReached: z.number(),
  realTimes: z.array(z.unknown()),
  summary: z.string(),
});

describe('npm run crash-matrix', () => {
  test('kills a process at three points of a rotation on a real Postgres, and another one finishes each', async () => {
    // Points of this seed lie early: what a worker does last depends a little on when the ones before were answered.
    const args = ['--only', 'postgres/single-user/rotation', '--sample', '3', '--seed', '2', '--json'];
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { points, summary, notReached, realTimes } = report.parse(JSON.parse(stdout));
    expect(points.map(({ wrong }) => wrong)).toEqual([[], [], []]);
    expect(new Set(points.map(({ effect, call, when }) => `${when} ${effect} ${call}`)).size).toBe(3);
    expect({ summary, notReached, realTimes }).toEqual({
      summary: '3 points, 3 recovered',
      notReached: 0,
      realTimes: [],
    });
  }, 90_000);

  test.each([
    ['a target that there is not', '--only', 'oracle'],
    ['a work that the strategy does not have', '--only', 'postgres/single-user/retirement'],
    ['a number that is none', '--sample', 'many'],
    ['an unknown option', '--all'],
  ])('ends with 2 for %s, and runs nothing', async (_, ...args) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('--sample N');
  });
});
