import { describe, expect, it } from 'vitest';
import { projectFiles } from '../tidy/files.ts';
import { equivalents, fits } from './equivalent.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import { named, placesOf } from './named.ts';
import { sampleOf } from './sample.ts';

const texts = new Map(projectFiles().map(({ path, text }) => [path, text]));

/** What a text becomes, one mutant after the other. */
function mutations(text: string): readonly string[] {
  return mutantsOf('sample.ts', text).map(({ start, end, replacement }) =>
    (text.slice(0, start) + replacement + text.slice(end)).trim(),
  );
}

describe('mutants', () => {
  it.each([
    ['a guard', 'if (a) b();', ['if (false) b();', 'if (true) b();', 'if (a) ;']],
    ['a loop', 'while (a) b();', ['while (false) b();', 'while (a) ;']],
    ['a branch', 'f(a ? b : c);', [';', 'f(!(a) ? b : c);']],
    ['a comparison', 'f(a < b);', [';', 'f((a <= b));']],
    ['an equality', 'f(a === b);', [';', 'f((a !== b));']],
    ['a calculation', 'f(a - b);', [';', 'f((a + b));']],
    ['operands', 'f(a && b && c);', [';', 'f((a) && c);', 'f((b) && c);', 'f((a && b));']],
    [
      'operands in parentheses',
      'f((a || b) && c);',
      [';', 'f(((a || b)));', 'f((c));', 'f(((a)) && c);', 'f(((b)) && c);'],
    ],
    ['a default', 'f(a ?? b);', [';', 'f((a));', 'f((b));']],
    ['a negation', 'f(!a);', [';', 'f(a);']],
    ['a call that is waited for', 'await f();', [';']],
    ['an assignment', 'a = b;', [';']],
    ['literals that are given back', 'const f = () => true;', ['const f = () => false;']],
    ['a number that is given back', 'function f() { return 3; }', ['function f() { return (3 + 1); }']],
    ['a flag', 'f({ a: true });', [';', 'f({ a: false });']],
    ['a limit of the file', 'const limitMs = 60 * 1_000;', ['const limitMs = 0;', 'const limitMs = (60 / 1_000);']],
    ['a filter', 'f(a.filter(b).map(c));', [';', 'f(a.map(c));']],
    ['a quantifier', 'f(a?.some(b));', [';', 'f(a?.every(b));']],
  ])('of %s: %s', (_what, text, expected) => {
    expect([...mutations(text)].sort()).toEqual([...expected].sort());
  });

  it.each([
    ['types', "type A = B extends 'c' ? true : false;"],
    ['texts that are put together', "const f = (a: string) => a + 'b';"],
    ['lines of a log', "log.info('event'); this.#log.warn('event'); progress.step(a);"],
    ['what a constructor keeps', 'class A { constructor(a) { this.a = a; } }'],
  ])('leave %s alone', (_what, text) => {
    expect(mutations(text)).toEqual([]);
  });

  it('say the line and the function they are in', () => {
    const text = 'const f = () => {\n  if (a)\n    return b;\n};';
    expect(mutantsOf('sample.ts', text)).toContainEqual(
      expect.objectContaining({ line: 2, within: 'f', change: 'condition is false', original: 'a' }),
    );
  });
});

describe('a sample', () => {
  const mutant = (file: string, original: string): Mutant => ({
    ...{ file, original, line: 1, within: 'f', change: 'literal replaced', start: 0, end: 1, replacement: 'x' },
  });
  const engine = Array.from({ length: 50 }, (_, index) => mutant('shared/engine/a.ts', `a${index}`));
  const rotators = Array.from({ length: 50 }, (_, index) => mutant('rotators/b/c.ts', `b${index}`));
  const all = [...engine, ...rotators];

  it('is the same for the same seed, and another one for another seed', () => {
    expect(sampleOf(all, '7', 10)).toEqual(sampleOf([...all].reverse(), '7', 10));
    expect(sampleOf(all, '8', 10)).not.toEqual(sampleOf(all, '7', 10));
  });

  it('is half of rotators, and of what there is where one half has too few', () => {
    expect(sampleOf(all, '7', 10).filter(({ file }) => file.startsWith('rotators/'))).toHaveLength(5);
    expect(sampleOf(engine, '7', 10)).toHaveLength(10);
    expect(sampleOf(rotators, '7', 10)).toHaveLength(10);
    expect(sampleOf(all, '7', Number.POSITIVE_INFINITY)).toHaveLength(100);
  });

  it('stays as it was when another file changes, and lines move', () => {
    const before = sampleOf(all, '7', 10);
    const moved = all.map((one) => ({ ...one, line: one.line + 9, start: one.start + 200 }));
    const more = sampleOf([mutant('shared/engine/new.ts', 'new'), ...moved], '7', 10);
    const kept = more.filter(({ original }) => before.some((one) => one.original === original));
    expect(kept.length).toBeGreaterThanOrEqual(9);
  });
});

describe('the list of named faults', () => {
  it.each(named.map((fault) => [fault.name, fault] as const))(
    '%s: its code stands in exactly one place',
    (_, fault) => {
      expect(placesOf(fault, texts).map(({ file }) => file)).toHaveLength(1);
      expect(fault.replacement).not.toBe(fault.search);
    },
  );
});

describe('the list of what nothing can notice', () => {
  it('holds only what still is a mutant, each with a reason', () => {
    const stale = equivalents.filter((entry) => {
      const text = texts.get(entry.file);
      return text === undefined || !mutantsOf(entry.file, text).some((mutant) => fits(entry, mutant));
    });
    expect(stale).toEqual([]);
    expect(equivalents.filter(({ why }) => why.length < 40)).toEqual([]);
  });
});
