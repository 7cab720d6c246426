import { describe, expect, test } from 'vitest';
import { otherLogin, usersTag } from '../../../rotators/common/pair.ts';

describe('the tag "users"', () => {
  test.each([
    ['a,b', ['a', 'b']],
    [' a ,  b ', ['a', 'b']],
    ['a b', ['a', 'b']],
    ['["a b", "c,d"]', ['a b', 'c,d']],
  ])('%j names two logins', (text, names) => {
    expect(usersTag.parse(text)).toEqual(names);
  });

  test.each(['a', '["a b"]'])('%j names the login of a value without one, and no pair', (text) => {
    expect(usersTag.parse(text)).toBeUndefined();
  });

  test.each(['', 'a,a', 'a,b,c', '["a", 1]', '[', '["a",""]'])('%j is refused with the fix', (text) => {
    const outcome = usersTag.safeParse(text);
    expect(outcome.error?.issues).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/^The tag "users" names two different logins/) }),
    ]);
  });
});

describe('the other login', () => {
  const rules = { users: undefined, maxLength: 63 };

  test('is derived by an ending, and back again', () => {
    expect(otherLogin('orders', rules)).toEqual({ kind: 'pair', other: 'orders_alt' });
    expect(otherLogin('orders_alt', rules)).toEqual({ kind: 'pair', other: 'orders' });
    expect(otherLogin('_alt', rules)).toEqual({ kind: 'pair', other: '_alt_alt' });
  });

  test('of a name without room for the ending asks for the tag: in bytes, not characters', () => {
    expect(otherLogin('x'.repeat(59), rules).kind).toBe('pair');
    expect(otherLogin('x'.repeat(60), rules)).toMatchObject({ kind: 'no-pair' });
    expect(otherLogin('é'.repeat(30), rules)).toMatchObject({ kind: 'no-pair' });
  });

  test('is the other one of the tag', () => {
    expect(otherLogin('a', { ...rules, users: ['a', 'b'] })).toEqual({ kind: 'pair', other: 'b' });
    expect(otherLogin('b', { ...rules, users: ['a', 'b'] })).toEqual({ kind: 'pair', other: 'a' });
  });

  test('is not guessed when the tag names neither the login in use', () => {
    const outcome = otherLogin('c', { ...rules, users: ['a', 'b'] });
    expect(outcome).toEqual({ kind: 'no-pair', detail: 'the login in use, "c", is neither "a" nor "b".' });
  });
});
