import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frames } from './frames.ts';
import { type Hint, parsed, replaced, text } from './samples.ts';

const base64 = fc.base64String({ minLength: 4, maxLength: 64 });

describe.each(frames)('$name', ({ hint, before, encode, after, holds = () => true, reads }) => {
  const password = fc.oneof(text, base64).filter(holds);

  test('any password written by the rules is found', () => {
    fc.assert(
      fc.property(password, (old) => {
        const value = before + encode(old) + after;
        expect(parsed(value, hint).credential.password.reveal()).toBe(old);
      }),
    );
  });

  test('any password is replaced by any other, and nothing around it changes', () => {
    fc.assert(
      fc.property(password, password, (old, next) => {
        const value = replaced(before + encode(old) + after, { password: next }, hint);
        expect(value.startsWith(before)).toBe(true);
        expect(value.endsWith(after)).toBe(true);
        expect(parsed(value, hint).credential.password.reveal()).toBe(next);
        expect(parsed(value, hint).endpoint).toEqual(parsed(before + encode(old) + after, hint).endpoint);
        if (reads !== undefined) expect(reads(value)).toBe(next);
        expect(parsed(replaced(value, { password: old }, hint), hint).credential.password.reveal()).toBe(old);
      }),
    );
  });

  test('the same credential leaves every byte as it is', () => {
    fc.assert(
      fc.property(password, (old) => {
        const value = before + encode(old) + after;
        const { credential } = parsed(value, hint);
        const outcome = parsed(value, hint).replace(credential);
        expect(outcome.kind === 'replaced' ? outcome.value.reveal() : outcome.detail).toBe(value);
      }),
    );
  });
});

const withUser: readonly (readonly [string, Hint, string])[] = [
  ['json', {}, '{"password":"a","user":"app","url":"mysql://app:a@h"}'],
  ['uri', {}, 'postgres://app:a@h/d'],
  ['uri parameters', {}, 'jdbc:postgresql://h/d?password=a&user=app'],
  ['libpq', { format: 'libpq' }, 'user=app password=a host=h'],
  ['ADO.NET', { format: 'ado-net' }, 'Server=h;User ID=app;Password=a'],
  ['ODBC', {}, 'Driver={x};Uid=app;Pwd=a'],
];

describe.each(withUser)('%s', (_, hint, value) => {
  test('any username and password together are replaced and read back', () => {
    fc.assert(
      fc.property(text, text, (username, password) => {
        const { credential } = parsed(replaced(value, { username, password }, hint), hint);
        expect(credential.username ?? '').toBe(username);
        expect(credential.password.reveal()).toBe(password);
      }),
    );
  });
});

test('JSON around the password keeps its layout whatever it is', () => {
  const blank = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 });
  fc.assert(
    fc.property(fc.json(), fc.json({ stringUnit: 'binary' }), blank, text, text, (one, two, gap, old, next) => {
      const [before, after] = [`${gap}{"x"${gap}:${one},${gap}"password":`, `${gap},${gap}"y":${gap}${two}}${gap}`];
      const value = before + JSON.stringify(`old ${old}`) + after;
      expect(replaced(value, { password: next })).toBe(before + JSON.stringify(next) + after);
    }),
  );
});

test('half a surrogate pair goes through JSON as an escape', () => {
  const value = replaced('{"password":"\\ud800"}', { password: 'a\udc00' });
  expect(value).toBe('{"password":"a\\udc00"}');
  expect(parsed(value).credential.password.reveal()).toBe('a\udc00');
});
