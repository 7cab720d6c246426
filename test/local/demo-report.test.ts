/** The end of the demo: what it says of outcomes that one run seldom shows together. */
import { describe, expect, it } from 'vitest';
import { castOf } from '../../local/demo/left-out.ts';
import type { Outcome } from '../../local/demo/outcome.ts';
import { reportLines } from '../../local/demo/report.ts';
import type { Scene } from '../../local/demo/scene.ts';
import { hanging, wrapped } from '../../local/lines.ts';

const nothing = { scenes: [], command: '' };
const outcome = (more: Partial<Outcome> = {}): Outcome => ({
  ...{ secret: 'reports-db', about: 'a', strategy: 'postgres single-user', outcome: 'rotated' },
  ...{ oldVersion: 'a'.repeat(32), newVersion: 'b'.repeat(32), versionsMade: 1, oldRefused: true, newAccepted: true },
  ...{ oldVersionEnabled: false, messagesTaken: 0, acknowledgedBy: [], calls: { made: 70, failed: 0 } },
  ...{ noticed: true, steps: [{ name: 'read', ms: 12 }], broken: [] },
  ...more,
});
const report = (outcomes: readonly Outcome[], more = {}) =>
  reportLines({ outcomes, ofOthers: [], leftOut: nothing, steps: false, ...more }).join('\n');

describe('the report of the demo', () => {
  it('says why calls of a single-user login failed, with their number', () => {
    expect(report([outcome({ calls: { made: 70, failed: 2 } })])).toContain('Why 2 calls of reports-db failed\n');
    expect(report([outcome({ calls: { made: 70, failed: 1 } })])).toContain('Why 1 call of reports-db failed\n');
    expect(report([outcome()])).not.toContain('Why');
  });

  it('calls failures of another strategy broken promises, and keeps quiet about every promise then', () => {
    const broken = ['3 calls of its consumer failed'];
    const text = report([outcome({ secret: 'cache', noticed: false, calls: { made: 9, failed: 3 }, broken })]);
    expect(text).toContain('Broken promises:\n  cache: 3 calls of its consumer failed');
    expect(text).not.toMatch(/Why|Every promise/);
  });

  it('says that every promise was kept only where everything was shown', () => {
    expect(report([outcome()])).toContain('\nEvery promise was kept.\n');
    const leftOut = { scenes: [{ secret: 'cache', needs: 'redis-server' }], command: 'apt-get install redis-server' };
    const text = report([outcome()], { leftOut });
    expect(text).not.toContain('Every promise was kept.');
    expect(text.replace(/\s+/g, ' ')).toContain(
      'kept for the 1 of 2 secrets that this machine can show. Not shown: cache',
    );
  });

  it('lists the time of each step only where that was asked for', () => {
    expect(report([outcome()])).not.toContain('read 12');
    expect(report([outcome()], { steps: true })).toContain('read 12');
  });
});

describe('the scenes', () => {
  const scene = (secret: string, needs?: Scene['needs']): Scene => ({
    ...{ secret, about: 'a', strategy: 's', expected: 'rotated', unnoticed: true, setUp: async () => undefined },
    ...(needs === undefined ? {} : { needs }),
  });
  const all = [
    scene('orders-db'),
    scene('shop-db', { program: 'mariadbd', package: 'mariadb-server-core mariadb-client-core' }),
    scene('cache', { program: 'redis-server', package: 'redis-server' }),
    scene('cache-cluster', { program: 'redis-server', package: 'redis-server' }),
  ];

  it('are all shown where every program is there', () => {
    expect(castOf(all, () => true)).toEqual({ scenes: all, leftOut: nothing });
  });

  it('are left out where their program is not, with one command that brings each package once', () => {
    const { scenes, leftOut } = castOf(all, (program) => program === 'mariadbd');
    expect(scenes.map(({ secret }) => secret)).toEqual(['orders-db', 'shop-db']);
    expect(leftOut.scenes.map(({ secret }) => secret)).toEqual(['cache', 'cache-cluster']);
    expect(leftOut.command).toBe('apt-get install redis-server');
  });
});

describe('lines', () => {
  it('are broken at spaces, and words only where they are longer than a line', () => {
    expect(wrapped('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrapped('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k']);
  });

  it('hang below their first', () => {
    expect(hanging(`${' '.repeat(70)}x `, 'eight eight').map((line) => line.trim())).toEqual(['x eight', 'eight']);
  });
});
