import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../tidy/files.ts';
import { type Lane, openLane } from './lane.ts';
import { importGraph, relatedTests } from './related.ts';
import { asJson, summaryOf } from './report.ts';
import { type Tried, trialOf, tryAll } from './trial.ts';

const file = 'shared/config/duration.ts';
const tests = ['test/config/duration.test.ts'];
const text = readFileSync(join(root, file), 'utf8');

/** A trial of the file with something put in front of it. */
const trial = (added: string) =>
  trialOf({ file, start: 0, end: 0, replacement: added }, added === '' ? 'nothing' : added, text, tests);

describe('a lane', () => {
  let lane: Lane;
  beforeAll(async () => {
    lane = await openLane();
  }, 60_000);
  afterAll(() => lane.close());

  it('says what noticed a fault and what nothing noticed, and leaves the project as it was', async () => {
    const fault = trial("throw new Error('a fault');\n");
    expect(await lane.try(fault, tests)).toMatchObject({ kind: 'killed', test: tests[0] });
    expect(await lane.try(trial('// a word\n'), tests)).toEqual({ kind: 'survived' });
    expect(readFileSync(join(root, file), 'utf8')).toBe(text);
  }, 60_000);

  it('has no verdict where no test ran', async () => {
    expect(await lane.try(undefined, ['test/no-such.test.ts'])).toMatchObject({ kind: 'broken' });
  }, 60_000);

  it('removes its copy with all in it', async () => {
    const another = await openLane();
    await another.close();
    expect(existsSync(another.folder)).toBe(false);
  }, 60_000);
});

describe('a run', () => {
  const fake = (outcomes: Readonly<Record<string, 'killed' | 'survived'>>, baseline: 'killed' | 'survived'): Lane => ({
    folder: '',
    try: async (change) => {
      const kind = change === undefined ? baseline : (outcomes[change.text] ?? 'survived');
      return kind === 'killed' ? { kind, by: 'a claim', test: tests[0] ?? '' } : { kind };
    },
    compiles: async () => true,
    close: async () => undefined,
  });
  const run = (lane: Lane): Promise<readonly Tried[]> =>
    tryAll([lane], [trial('fault;\n'), trial('harmless;\n')], () => undefined);
  const outcomes = { [`fault;\n${text}`]: 'killed' } as const;

  it('counts a fault as noticed by a test that passes without it', async () => {
    const tried = await run(fake(outcomes, 'survived'));
    expect(tried.map(({ outcome }) => outcome.kind)).toEqual(['killed', 'survived']);
    const said = summaryOf('7', tried);
    expect(said).toContain('1 killed, 1 survived, 0 without a verdict (seed 7)');
    expect(said).toMatch(/survived: shared\/config\/duration\.ts:1 harmless;/);
    expect(JSON.parse(asJson('7', tried))).toMatchObject({
      seed: '7',
      mutants: [{ kind: 'killed' }, { kind: 'survived' }],
    });
  });

  it('takes no notice from a test that fails anyway', async () => {
    const tried = await run(fake(outcomes, 'killed'));
    expect(tried[0]?.outcome).toMatchObject({
      kind: 'broken',
      said: expect.stringContaining('fails without any change'),
    });
  });

  it('begins no other when its time is over, and counts what it has tried', async () => {
    const both = [trial('fault;\n'), trial('harmless;\n')];
    const tried = await tryAll(
      [fake(outcomes, 'survived')],
      both,
      () => undefined,
      () => false,
    );
    expect(tried.map(({ outcome }) => outcome.kind)).toEqual(['killed']);
  });

  it('does not ask the compiler about a named fault: a test must notice it', async () => {
    const lane = { ...fake({}, 'survived'), compiles: async () => false };
    const byTests = { ...trial('fault;\n'), byTests: true };
    const tried = await tryAll([lane], [trial('fault;\n'), byTests], () => undefined);
    expect(tried.map(({ outcome }) => outcome.kind)).toEqual(['killed', 'survived']);
  });
});

describe('the tests of a file', () => {
  const related = relatedTests(importGraph());
  const of = (path: string) => related(path).map(({ test }) => test);

  it('of the engine are those that run in memory, the nearest first', () => {
    const asked = of('shared/engine/policy/due.ts');
    expect(asked).toContain('test/engine/simulator.test.ts');
    expect(asked.indexOf('test/engine/due.test.ts')).toBeLessThan(asked.indexOf('test/engine/simulator.test.ts'));
    expect(asked.filter((test) => test.startsWith('test/paths/'))).toEqual([]);
  });

  it('of a rotator are those of its target, and not every test that loads the registry', () => {
    const asked = of('rotators/postgres/apply.ts');
    expect(asked).toContain('test/rotators/postgres.conformance.test.ts');
    expect(asked.filter((test) => /redis|mysql|sql-server/.test(test))).toEqual([]);
  });
});

describe('the command', () => {
  const mutate = (...args: readonly string[]) =>
    new Promise<{ readonly code: unknown; readonly said: string }>((resolve) => {
      execFile(process.execPath, [join(root, 'test/mutation/main.ts'), ...args], (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, said: stdout + stderr });
      });
    });

  it.each([
    ['--sample', 'many'],
    ['--seeds', '1'],
    ['--lanes', '-1'],
  ])('refuses %s %s with the usage', async (...args) => {
    expect(await mutate(...args)).toMatchObject({ code: 2, said: expect.stringContaining('--sample N') });
  });
});
