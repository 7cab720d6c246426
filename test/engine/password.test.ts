import { describe, expect, test } from 'vitest';
import { newPassword, type RandomIndex } from '../../shared/engine/rotation/password.ts';
import { Bug } from '../../shared/errors.ts';
import { parsed, replaced } from '../secret-value/samples.ts';

/** Indices that come round: 0, 1, 2, … of whatever limit is asked for. */
function counting(step: number): RandomIndex {
  let next = 0;
  return (limit) => {
    next += step;
    return next % limit;
  };
}

test('a password is 40 letters and digits, starts with a letter and has one of each class', () => {
  for (let i = 0; i < 500; i++) {
    const password = newPassword().reveal();
    expect(password).toMatch(/^[A-Za-z][A-Za-z0-9]{39}$/);
    expect(password).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])/);
  }
});

test('no two passwords are alike, and every character of the alphabet is used in every place', () => {
  const passwords = Array.from({ length: 3_000 }, () => newPassword().reveal());
  expect(new Set(passwords).size).toBe(passwords.length);
  const seen = Array.from(
    { length: 40 },
    (_, place) => new Set(passwords.map((password) => password.charAt(place))).size,
  );
  // 3,000 draws miss one of 62 characters in a place less than once in 10^19 tries.
  expect(seen).toEqual([52, ...Array.from({ length: 39 }, () => 62)]);
});

test('a source that counts evenly gives every character equally often where no class is required', () => {
  const random = counting(1);
  const letters = Array.from({ length: 62 }, () =>
    newPassword({ alphabet: '0123456789abcdef', length: 49, require: {} }, random).reveal(),
  );
  const counts = new Map<string, number>();
  for (const character of letters.join('')) counts.set(character, (counts.get(character) ?? 0) + 1);
  expect([...counts.keys()].toSorted().join('')).toBe('0123456789abcdef');
  expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThan((62 * 49) / 16 / 2);
});

test('the source is asked for a letter first, then for one of each class, then for the whole alphabet, and last for the order', () => {
  const asked: number[] = [];
  const inner = counting(7);
  newPassword({}, (limit) => {
    asked.push(limit);
    return inner(limit);
  });
  const order = Array.from({ length: 39 }, (_, index) => 39 - index);
  expect(asked).toEqual([52, 26, 26, 10, ...Array.from({ length: 36 }, () => 62), ...order]);
});

test('an alphabet of its own is used in full, with the classes it has', () => {
  const password = newPassword({ length: 60, alphabet: 'abcdef0123456789!' }).reveal();
  expect(password).toMatch(/^[a-f][a-f0-9!]{59}$/);
  expect(password).toMatch(/!/);
  expect(newPassword({ length: 60, alphabet: '0123456789' }).reveal()).toMatch(/^\d{60}$/);
});

test.each([
  ['too short', { length: 20 }, /128 are needed/],
  ['from too few characters', { alphabet: 'ab' }, /128 are needed/],
  ['from no characters', { alphabet: '' }, /no character is left/],
  ['from an alphabet with a repetition', { alphabet: `${'abcdefghijklmnopqrstuvwxyz'}a` }, /twice/],
  ['of no length', { length: 0 }, /whole number/],
  ['of a broken length', { length: 40.5 }, /whole number/],
  ['of no number as length', { length: Number.NaN }, /whole number/],
] as const)('a password %s is a bug', (_, rules, message) => {
  expect(() => newPassword(rules)).toThrow(Bug);
  expect(() => newPassword(rules)).toThrow(message);
});

test('a source that gives what it was not asked for is a bug', () => {
  expect(() => newPassword({}, (limit) => limit)).toThrow(/outside of the alphabet/);
});

describe('a new password needs no quoting', () => {
  test.each([
    ['raw', '', ''],
    ['json', '{"password":"', '"}'],
    ['uri', 'postgres://app:', '@h/d'],
    ['uri parameter', 'jdbc:postgresql://h/d?user=app&password=', ''],
    ['libpq', 'host=h password=', ' user=app'],
    ['ADO.NET', 'Server=h;Password=', ';User ID=app'],
    ['ODBC', 'Driver={x};Pwd=', ''],
    ['JDBC for SQL Server', 'jdbc:sqlserver://h;user=app;password=', ''],
    ['Azure service', 'AccountName=a;AccountKey=', ';x=y'],
    ['StackExchange.Redis', 'h:6380,password=', ',ssl=True'],
  ])('in %s', (_, before, after) => {
    for (let i = 0; i < 20; i++) {
      const password = newPassword().reveal();
      const value = replaced(`${before}old${after}`, { password });
      expect(value).toBe(before + password + after);
      expect(parsed(value).credential.password.reveal()).toBe(password);
    }
  });
});
