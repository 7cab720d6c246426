/** An old password is found in whatever encoding it would stay behind. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { remains } from '../../shared/secret-value/remains.ts';
import { text } from './samples.ts';

const encodings: Readonly<Record<string, (password: string) => string>> = {
  plain: (password) => password,
  'percent-encoded': (password) => encodeURIComponent(password),
  'percent-encoded to the last character, in lower case': (password) =>
    [...Buffer.from(password)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  'percent-encoded twice': (password) => encodeURIComponent(encodeURIComponent(password)),
  'escaped for a form': (password) => new URLSearchParams({ p: password }).toString().slice(2),
  'escaped for JSON': (password) => JSON.stringify(password).slice(1, -1),
  'escaped for JSON in JSON': (password) => JSON.stringify(JSON.stringify(password)).slice(1, -1),
  'escaped for JSON with codes': (password) =>
    Array.from(
      { length: password.length },
      (_, at) => `\\u${password.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  'escaped for XML': (password) => password.replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`),
  'in base64': (password) => Buffer.from(password).toString('base64'),
  'in base64 behind its login': (password) => Buffer.from(`app:${password}`).toString('base64'),
  'in base64 of a longer text': (password) => Buffer.from(`{"a":1,"p":"${password}","b":2}`).toString('base64'),
  'in base64url': (password) => Buffer.from(`xx${password}y`).toString('base64url'),
};

const password = text.filter((each) => each.length >= 8);
const around = fc.string({ unit: fc.constantFrom(' ', '\n', '"', ',', 'x', '='), maxLength: 5 });

describe.each(Object.entries(encodings))('%s', (_, encode) => {
  test('it is found', () => {
    fc.assert(
      fc.property(around, password, around, (before, old, after) => {
        expect(remains(`${before} ${encode(old)} ${after}`, old, [])).toBe(true);
      }),
    );
  });
});

test('a short password is not looked for, and one that is part of a public word neither', () => {
  expect(remains('a secret7 b', 'secret7', [])).toBe(false);
  expect(remains('shop_app_db', 'shop_app', ['Shop_App'])).toBe(false);
});

test('a text without it holds it in no encoding', () => {
  fc.assert(
    fc.property(fc.base64String({ minLength: 16, maxLength: 200 }), (other) => {
      expect(remains(other, 'c0rrect-h0rse', [])).toBe(false);
    }),
  );
});
