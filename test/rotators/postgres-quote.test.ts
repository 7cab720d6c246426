import { describe, expect, test } from 'vitest';
import { nameFault, quoteName, quoteText } from '../../rotators/postgres/quote.ts';
import { scramVerifier } from '../../rotators/postgres/scram.ts';
import { settingChanges, splitList, startingRole } from '../../rotators/postgres/settings.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';

describe('names and texts in statements', () => {
  test.each([
    ['plain', '"plain"'],
    ['a"b', '"a""b"'],
    [`a'; DROP ROLE b; --`, `"a'; DROP ROLE b; --"`],
    ['\\', '"\\"'],
  ])('the name %j is written %s', (name, written) => {
    expect(quoteName(name)).toBe(written);
  });

  test.each([
    ['', 'is empty'],
    ['a\0b', 'contains a NUL character'],
    ['\ud800', 'is not valid Unicode'],
    ['x'.repeat(64), 'is 64 bytes long, and Postgres keeps 63'],
    ['é'.repeat(32), 'is 64 bytes long, and Postgres keeps 63'],
  ])('the name %j is refused', (name, fault) => {
    expect(nameFault(name)).toBe(fault);
    expect(() => quoteName(name)).toThrow(fault);
  });

  test.each([
    ['', "''"],
    ["it's", "'it''s'"],
    ['a\\b', "E'a\\\\b'"],
    ["\\' OR 1=1", "E'\\\\'' OR 1=1'"],
  ])('the text %j is written %s', (text, written) => {
    expect(quoteText(text)).toBe(written);
  });

  test('a text with a NUL is refused', () => {
    expect(() => quoteText('\0')).toThrow('NUL');
  });
});

describe('the stored form of a password', () => {
  test('has the form the server expects, with another salt each time', async () => {
    const one = await scramVerifier(new SecretText('pencil'), 5000);
    expect(one).toMatch(/^SCRAM-SHA-256\$5000:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/);
    expect(await scramVerifier(new SecretText('pencil'), 5000)).not.toBe(one);
    expect(one).not.toContain('pencil');
  });
});

describe('the settings of a pair', () => {
  const of = (login: string, name: string, value: string, database: string | null = null) => ({
    login,
    database,
    name,
    value,
  });

  test('what the other login lacks is set, what it has too much is reset, and what ties the pair is left alone', () => {
    const settings = [
      of('a', 'search_path', '"$user", "odd "" name", public'),
      of('a', 'work_mem', '8MB', "d'b"),
      of('a', 'app.note', "it's"),
      of('a', 'TimeZone', 'UTC'),
      of('b', 'TimeZone', 'UTC'),
      of('b', 'jit', 'off'),
      of('b', 'role', 'a'),
    ];
    expect(settingChanges(settings, 'a', 'b')).toEqual([
      'ALTER ROLE "b" RESET "jit"',
      `ALTER ROLE "b" SET "search_path" TO '$user', 'odd " name', 'public'`,
      `ALTER ROLE "b" IN DATABASE "d'b" SET "work_mem" TO '8MB'`,
      `ALTER ROLE "b" SET "app"."note" TO 'it''s'`,
    ]);
    expect(startingRole(settings, 'b')).toBe('a');
    expect(startingRole(settings, 'a')).toBeUndefined();
    expect(settingChanges([of('a', 'search_path', '""')], 'a', 'b')).toEqual([
      `ALTER ROLE "b" SET "search_path" TO ''`,
    ]);
  });

  test.each([
    ['a, b', ['a', 'b']],
    ['"$user", public', ['$user', 'public']],
    ['"a, b"', ['a, b']],
    ['""', ['']],
    ['', []],
  ])('the stored list %j is read as %j', (text, names) => {
    expect(splitList(text)).toEqual(names);
  });
});
