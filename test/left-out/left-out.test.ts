/** What a run leaves out on a machine without some server, and that its last lines say so. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { programFolders } from '../../local/programs.ts';
import { root } from '../tidy/files.ts';
import { lastLines, type Machine, planRun } from './plan.ts';
import { programs } from './programs.ts';
import { slow } from './slow.ts';

const without = (...missing: readonly string[]): Machine => ({
  inCi: false,
  quick: false,
  has: (program) => !missing.includes(program),
});

describe('the plan of a run', () => {
  it('a machine without redis-server leaves out the files that start it, however indirectly, and no other', () => {
    const { all, lacking } = planRun(root, without('redis-server'));
    expect([...lacking.keys()]).toEqual(
      expect.arrayContaining(['test/rotators/redis.conformance.test.ts', 'test/bench/zero-downtime.test.ts']),
    );
    expect(lacking.has('test/rotators/mysql.test.ts')).toBe(false);
    expect(lacking.size).toBeLessThan(all.length / 4);
  });

  it('a machine with every program leaves out nothing and says nothing', () => {
    const plan = planRun(root, without());
    expect(plan).toMatchObject({ lacking: new Map(), slow: [] });
    expect(lastLines(plan)).toEqual([]);
  });

  it('CI leaves out only what needs a program that it cannot install, and says so, whoever asks for a quick run', () => {
    const machine = { ...without(...programs.map(({ name }) => name)), inCi: true, quick: true };
    const plan = planRun(root, machine);
    expect(plan.slow).toEqual([]);
    expect(plan.lacking.size).toBeGreaterThan(0);
    for (const missing of plan.lacking.values()) expect(missing.map(({ optional }) => optional)).toEqual([true]);
    expect(lastLines(plan).at(-1)).toContain('.NET SDK');
  });

  it('a quick run names each slow file, and "npm test" as the way to run it', () => {
    const plan = planRun(root, { ...without(), quick: true });
    expect(plan.slow).toContain('test/paths/crash-real.test.ts');
    const lines = lastLines(plan);
    expect(lines[0]).toContain('"npm test" runs them');
    for (const file of plan.slow) expect(lines).toContain(`  ${file}`);
  });

  it('each entry of the tables still names a file', () => {
    const { all } = planRun(root, without());
    expect(slow.filter((beginning) => !all.some((file) => file.startsWith(beginning)))).toEqual([]);
    const starters = programs.flatMap(({ startedBy }) => startedBy);
    expect(starters.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });
});

describe('the last lines', () => {
  it('name each file with what it lacks, and end with one command that brings all of it', () => {
    const plan = planRun(root, without('redis-server', 'mariadbd'));
    const lines = lastLines(plan);
    for (const [file, missing] of plan.lacking) {
      const line = lines.find((one) => one.trim().startsWith(file));
      for (const { name } of missing) expect(line).toContain(name);
    }
    expect(lines.at(-1)).toBe(
      '  apt-get install --no-install-recommends mariadb-client-core mariadb-server-core redis-server redis-tools',
    );
  });

  it('come at the very end of a run on a machine that has Node and nothing else', async () => {
    // A folder without programs is all there is on the path.
    const env = { PATH: join(root, 'docs') };
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const args = [vitest, 'run', 'test/config/duration.test.ts'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
    const end = stdout.trimEnd().split('\n');
    expect(end.at(-1)).toMatch(/^ {2}apt-get install .*mariadb-server-core .*redis-server/);
    expect(end).toContainEqual(expect.stringMatching(/test\/rotators\/redis\.test\.ts +redis-server/));
  });
});

describe('programs', () => {
  it.each([
    ['/usr/bin:/opt/tools', ['/usr/bin', '/opt/tools', '/usr/sbin']],
    ['/usr/local/bin:/usr/bin:/usr/sbin', ['/usr/local/bin', '/usr/bin', '/usr/sbin', '/usr/local/sbin']],
    ['/srv/only-node', ['/srv/only-node']],
    ['', []],
  ])('of PATH %j are looked for in %j: beside each bin in its sbin, nowhere else', (path, folders) => {
    expect(programFolders(path)).toEqual(folders);
  });
});
