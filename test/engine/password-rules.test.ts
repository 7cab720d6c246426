/** What people may ask of passwords by the tag: every one that is made keeps the rules, and rules that make weak ones are refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rotators } from '../../rotators/registry.ts';
import {
  bothRules,
  breaks,
  breaksTarget,
  type CharacterClass,
  characterClasses,
  charactersOf,
  classOf,
  fewestBits,
  meet,
  type PasswordRules,
  planPassword,
  type TargetRules,
} from '../../shared/contract/password-rules.ts';
import { parsePasswordTag } from '../../shared/engine/policy/password-tag.ts';
import { parsePolicy } from '../../shared/engine/policy/policy.ts';
import { newPassword } from '../../shared/engine/rotation/password.ts';

function rules(text: string): PasswordRules {
  const read = parsePasswordTag(text);
  if (read.kind === 'wrong') throw new Error(read.detail);
  return read.rules;
}

function refusal(text: string): string {
  const read = parsePasswordTag(text);
  if (read.kind === 'rules') throw new Error('it was read');
  return read.detail;
}

const count = (text: string, one: CharacterClass): number => [...text].filter((each) => classOf(each) === one).length;

describe('the tag is read', () => {
  test.each<[string, PasswordRules]>([
    ['length=32', { length: 32 }],
    ['require=upper,lower,digit,special', { require: { upper: 1, lower: 1, digit: 1, special: 1 } }],
    [`exclude=@/'`, { exclude: `@/'` }],
    [
      `length=32;require=upper,lower,digit,special;exclude=@/'`,
      { length: 32, require: { upper: 1, lower: 1, digit: 1, special: 1 }, exclude: `@/'` },
    ],
    ['length=64; require=digit:3,special:2', { length: 64, require: { digit: 3, special: 2 } }],
    ['length=30;exclude=;=,', { length: 30, exclude: ';=,' }],
    ['exclude=length=5', { exclude: 'length=5' }],
  ])('%s', (text, expected) => {
    expect(rules(text)).toEqual(expected);
  });

  test.each([
    ['', /length=32;require=/],
    ['32', /length=32;require=/],
    ['length', /length=32;require=/],
    ['length=', /length=32;require=/],
    ['length=32;length=33', /each once/],
    ['size=32', /length=32;require=/],
    ['length=0', /from 1 to 256/],
    ['length=257', /from 1 to 256/],
    ['length=many', /from 1 to 256/],
    ['require=upper,upper', /upper, lower, digit, special/],
    ['require=letters', /upper, lower, digit, special/],
    ['require=special:0', /upper, lower, digit, special/],
  ])('%j is refused', (text, why) => {
    expect(refusal(text)).toMatch(why);
  });
});

describe('rules that make weak passwords are refused with the arithmetic', () => {
  test.each([
    ['length=16', /16 characters from 62 hold 89 bits, and 128 are needed; length=23 is enough/],
    [
      'length=20;require=upper,lower,digit,special',
      /20 characters from 66 hold \d+ bits, and 128 are needed; length=\d+ is enough/,
    ],
    ['require=upper;exclude=ABCDEFGHIJKLMNOPQRSTUVWXYZ', /requires upper, and all of those are excluded/],
    ['length=3;require=upper,lower,digit,special', /need a length of 5/],
  ])('%s', (text, why) => {
    expect(refusal(text)).toMatch(why);
  });

  test('the length that is named is enough, and one less is not', () => {
    for (const text of ['require=special', 'require=digit:9,special:4', 'exclude=aeiouAEIOU', 'require=upper']) {
      const named = Number(/length=(\d+) is enough/.exec(refusal(`length=15;${text}`))?.[1]);
      expect(parsePasswordTag(`length=${named};${text}`).kind).toBe('rules');
      expect(parsePasswordTag(`length=${named - 1};${text}`).kind).toBe('wrong');
    }
  });
});

const someRules = fc.record(
  {
    length: fc.integer({ min: 20, max: 128 }),
    require: fc.dictionary(fc.constantFrom(...characterClasses), fc.integer({ min: 1, max: 6 })),
    exclude: fc.string({
      unit: fc.constantFrom(...Object.values(charactersOf).join(''), '@', '/', '!'),
      maxLength: 20,
    }),
  },
  { requiredKeys: [] },
);

test('every password keeps the rules it was made by, at 128 bits or more', () => {
  fc.assert(
    fc.property(someRules, (asked) => {
      const plan = planPassword(asked);
      fc.pre(plan.kind === 'plan');
      const password = newPassword(asked).reveal();
      expect(breaks(asked, password)).toBeUndefined();
      expect(password).toHaveLength(asked.length ?? 40);
      for (const each of characterClasses) {
        expect(count(password, each)).toBeGreaterThanOrEqual(asked.require?.[each] ?? 0);
      }
      for (const character of asked.exclude ?? '') expect(password).not.toContain(character);
      expect(password).toMatch(/^[A-Za-z]/);
      expect(plan.bits).toBeGreaterThanOrEqual(fewestBits);
    }),
    { numRuns: 500 },
  );
});

test('a required special character needs no quoting, unless all of those are excluded', () => {
  for (let i = 0; i < 200; i++)
    expect(newPassword({ require: { special: 2 } }).reveal()).toMatch(/^[A-Za-z0-9._~-]{40}$/);
  expect(newPassword({ require: { special: 1 }, exclude: '-._~' }).reveal()).toMatch(/[^A-Za-z0-9]/);
});

test('without the tag and without rules no special character is used', () => {
  for (let i = 0; i < 100; i++) expect(newPassword().reveal()).toMatch(/^[A-Za-z][A-Za-z0-9]{39}$/);
});

test('the rules of a tag and of a target bind together', () => {
  const tag: PasswordRules = { length: 32, require: { special: 1 }, exclude: '@' };
  expect(bothRules(tag, {})).toEqual(tag);
  expect(bothRules({}, {})).toEqual({});
  expect(bothRules(tag, { length: 24, require: { digit: 2, special: 3 }, exclude: '/' })).toEqual({
    length: 32,
    require: { upper: 0, lower: 0, digit: 2, special: 3 },
    exclude: '@/',
  });
});

describe('in a policy', () => {
  const defaults = { validForMs: 90, rotateBeforeMs: 30, overlapMs: 10 };
  const known = new Map(rotators.map((entry) => [entry.name, entry]));
  const policy = (tags: Record<string, string>) => parsePolicy(tags, defaults, known);

  test.each(['postgres', 'mysql', 'redis', 'sql-server', 'self-issued'])('the tag is for %s', (rotator) => {
    const tags = { rotator, password: `length=48;require=special;exclude=@/'` };
    expect(policy(tags)).toMatchObject({
      kind: 'policy',
      policy: { password: { length: 48, require: { special: 1 }, exclude: `@/'` } },
    });
  });

  test.each([
    [
      'azure-keys',
      {
        resource:
          '/subscriptions/01234567-89ab-cdef-0123-456789abcdef/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a',
      },
    ],
    ['http-keys', { provider: 'sendgrid' }],
  ])('%s takes none: the target makes the key', (rotator, more) => {
    expect(policy({ rotator, ...more, password: 'length=48' })).toMatchObject({
      kind: 'invalid',
      problems: [{ tag: 'password', detail: expect.stringContaining('the target makes the key') }],
    });
  });

  test('weak rules are named by their tag, with the arithmetic', () => {
    expect(policy({ rotator: 'postgres', password: 'length=12' })).toMatchObject({
      kind: 'invalid',
      problems: [{ tag: 'password', detail: expect.stringMatching(/12 characters from 62 hold \d+ bits/) }],
    });
  });

  test('field and password fit behind the format', () => {
    const one = policy({ rotator: 'postgres', format: 'json;field=/orders/a;length=32;exclude=;@' });
    const two = policy({ rotator: 'postgres', format: 'json', field: '/orders/a', password: 'length=32;exclude=;@' });
    expect(one).toMatchObject({
      policy: { format: 'json', field: '/orders/a', password: { length: 32, exclude: ';@' } },
    });
    expect(one).toEqual(two);
  });

  test.each([
    [{ format: 'uri', field: '/a' }, 'field'],
    [{ format: 'uri;field=/a' }, 'field'],
    [{ format: 'json;field=a' }, 'format'],
    [{ format: 'json;field=/a', field: '/a' }, 'field'],
    [{ format: 'json;length=32', password: 'length=32' }, 'password'],
    [{ format: 'json;length=9' }, 'format'],
    [{ field: 'a' }, 'field'],
  ])('%o is named by the tag that is wrong', (tags, tag) => {
    expect(policy({ rotator: 'postgres', ...tags })).toMatchObject({ kind: 'invalid', problems: [{ tag }] });
  });
});

describe('the rules of a target', () => {
  const someTargets = fc.record(
    {
      source: fc.constant('a policy'),
      shortest: fc.integer({ min: 0, max: 90 }),
      longest: fc.integer({ min: 8, max: 128 }),
      require: fc.dictionary(fc.constantFrom(...characterClasses), fc.integer({ min: 0, max: 30 })),
      exclude: fc.string({ unit: fc.constantFrom(...Object.values(charactersOf).join(''), '@', '!'), maxLength: 12 }),
    },
    { requiredKeys: ['source'] },
  );

  test('and those of the tag are kept by every password at 128 bits or more, or no password is made', () => {
    let made = 0;
    fc.assert(
      fc.property(someRules, someTargets, (tag, target) => {
        const met = meet(tag, target);
        if (met.kind === 'unfit') return;
        made++;
        // As a step of the engine draws it: the tag's rules once more.
        const password = newPassword(bothRules(tag, met.rules)).reveal();
        expect(breaksTarget(target, password)).toBeUndefined();
        const { length: atLeast = 0, ...others } = tag;
        expect(breaks(others, password)).toBeUndefined();
        expect(password.length).toBeGreaterThanOrEqual(atLeast);
        expect(Object.keys(planPassword(met.rules))).toContain('bits');
      }),
      { numRuns: 500 },
    );
    expect(made).toBeGreaterThan(50);
  });

  test.each<[string, PasswordRules, TargetRules, RegExp]>([
    [
      'too short for 128 bits',
      {},
      { source: 'a policy', longest: 16 },
      /16 characters from 62 hold 89 bits, and 128 are needed.*a policy takes 16 characters at most/,
    ],
    [
      'shorter than the tag asks for',
      { length: 60 },
      { source: 'a policy', longest: 40 },
      /60 characters are asked for, and a policy takes 40/,
    ],
    [
      'a class that the tag excludes',
      { exclude: charactersOf.digit },
      { source: 'a policy', require: { digit: 1 } },
      /requires digit, and all of those are excluded/,
    ],
    [
      'more characters than it takes',
      {},
      { source: 'a policy', longest: 30, require: { special: 40 } },
      /44 characters are needed, and a policy takes 30/,
    ],
  ])('that cannot be met: %s', (_case, tag, target, detail) => {
    expect(meet(tag, target)).toEqual({ kind: 'unfit', detail: expect.stringMatching(detail) });
  });

  test('make a password as long as they ask for, and no shorter than without them', () => {
    const lengthFor = (target: Partial<TargetRules>) => {
      const met = meet({}, { source: 'a policy', ...target });
      return met.kind === 'rules' ? met.rules.length : met.detail;
    };
    expect(lengthFor({ shortest: 8 })).toBe(40);
    expect(lengthFor({ shortest: 64 })).toBe(64);
    expect(lengthFor({ require: { special: 50, digit: 2 } })).toBe(57);
    expect(lengthFor({ longest: 30 })).toBe(30);
  });
});
