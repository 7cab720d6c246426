import { describe, expect, test } from 'vitest';
import { settingsIn } from '../../rotators/mysql/global-settings.ts';
import { lacking, parseGrant } from '../../rotators/mysql/grants.ts';
import { policyIn } from '../../rotators/mysql/password-policy.ts';
import { literalInAnyMode, parseAccount } from '../../rotators/mysql/quote.ts';
import { serverOf } from '../../rotators/mysql/session.ts';
import { shaCrypt } from '../../rotators/mysql/sha-crypt.ts';

describe('lines of SHOW GRANTS', () => {
  const account = { user: 'o`brien', host: '10.%' };
  const shown = '`o``brien`@`10.%`';
  const other = { user: `x'y`, host: '%' };

  test.each([
    [`GRANT USAGE ON *.* TO ${shown} IDENTIFIED BY PASSWORD '*ABC'`, [], "GRANT USAGE ON *.* TO 'x''y'@'%'"],
    [
      `GRANT SELECT, INSERT (\`a\`, \`b\`) ON \`odd, ON \`.\`t\` TO ${shown}`,
      ['SELECT ON `odd, ON `.`t`', 'INSERT (`a`, `b`) ON `odd, ON `.`t`'],
      "GRANT SELECT, INSERT (`a`, `b`) ON `odd, ON `.`t` TO 'x''y'@'%'",
    ],
    [
      `GRANT SELECT ON \`d\`.* TO ${shown} REQUIRE SUBJECT 'WITH GRANT OPTION'`,
      ['SELECT ON `d`.*'],
      "GRANT SELECT ON `d`.* TO 'x''y'@'%'",
    ],
    [
      `GRANT SELECT ON \`d\`.* TO ${shown} WITH GRANT OPTION MAX_QUERIES_PER_HOUR 5`,
      ['SELECT ON `d`.*', 'SELECT ON `d`.* WITH GRANT OPTION'],
      "GRANT SELECT ON `d`.* TO 'x''y'@'%' WITH GRANT OPTION",
    ],
    [`GRANT \`r\`@\`%\` TO ${shown}`, ['ROLE `r`@`%`'], "GRANT `r`@`%` TO 'x''y'@'%'"],
    [`REVOKE INSERT ON \`d\`.* FROM ${shown}`, ['NOT INSERT ON `d`.*'], "REVOKE INSERT ON `d`.* FROM 'x''y'@'%'"],
  ])('%s', (line, rights, statement) => {
    const grant = parseGrant(line, account);
    expect(grant?.rights).toEqual(rights);
    expect(grant?.statementFor(other)).toBe(statement);
  });

  test('of another account are none of this one', () => {
    expect(parseGrant('GRANT SELECT ON *.* TO `o`@`10.%`', account)).toBeUndefined();
  });

  test('ALL PRIVILEGES on an object holds every other right on it, and not the right to pass it on', () => {
    const all = parseGrant(`GRANT ALL PRIVILEGES ON \`d\`.* TO ${shown}`, account);
    const some = parseGrant(`GRANT SELECT ON \`d\`.* TO ${shown} WITH GRANT OPTION`, account);
    if (all === undefined || some === undefined) throw new Error('not read');
    expect(lacking([some], [all])).toEqual(['SELECT ON `d`.* WITH GRANT OPTION']);
    expect(lacking([all], [some])).toEqual(['ALL PRIVILEGES ON `d`.*']);
  });

  test('an account is cut at its last sign, since a name may hold one', () => {
    expect(parseAccount('a@b@10.%')).toEqual({ user: 'a@b', host: '10.%' });
  });
});

test('a name that is sent before the SQL mode is known holds nothing that a mode could change', () => {
  expect(literalInAnyMode(`o'b\\"ä*/`)).toBe("_utf8mb4 x'6f27625c22c3a42a2f'");
});

test('the name and version of a server are read from what it says of itself', () => {
  expect(serverOf('5.7.44-log')).toMatchObject({ flavour: 'MySQL', version: 50_744 });
  expect(serverOf('5.5.5-10.11.6-MariaDB-1:10.11.6+maria~deb12')).toMatchObject({
    flavour: 'MariaDB',
    version: 101_106,
  });
  expect(serverOf('8.0.36-28')).toMatchObject({ flavour: 'MySQL', version: 80_036 });
  expect(serverOf('9.7.4-2')).toMatchObject({ flavour: 'MySQL', version: 90_704 });
});

// From the specification: https://www.akkadia.org/drepper/SHA-crypt.txt
test.each([
  ['Hello world!', 'saltstring', 5_000, '5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
  ['Hello world!', 'saltstringsaltst', 10_000, '3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA'],
  ['This is just a test', 'toolongsaltstrin', 5_000, 'Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5'],
  [
    'a very much longer text to encrypt.  This one even stretches over morethan one line.',
    'anotherlongsalts',
    1_400,
    'Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1',
  ],
])('SHA-crypt of "%s" with the salt "%s" and %i rounds', async (password, salt, rounds, digest) => {
  expect(await shaCrypt(Buffer.from(password), Buffer.from(salt), rounds)).toBe(digest);
});

describe('what a server asks of passwords', () => {
  test.each([
    [
      // As MariaDB 10.11 with the plugin of Debian's mariadb-server says it.
      'simple_password_check_digits=11,simple_password_check_letters_same_case=1,simple_password_check_other_characters=7,simple_password_check_minimal_length=60',
      { source: 'simple_password_check', shortest: 60, require: { upper: 1, lower: 1, digit: 11, special: 7 } },
    ],
    [
      // As the plugin of MySQL 5.7 and 8.0 says it.
      'validate_password_length=12,validate_password_mixed_case_count=2,validate_password_number_count=3,validate_password_policy=1,validate_password_special_char_count=4',
      { source: 'validate_password', shortest: 12, require: { upper: 2, lower: 2, digit: 3, special: 4 } },
    ],
    [
      'validate_password.length=12,validate_password.policy=LOW,validate_password.special_char_count=4',
      { source: 'validate_password', shortest: 12 },
    ],
    ['', undefined],
  ])('%s', (list, rules) => {
    const settings = `${list},max_connections=151,`.replace(/^,/, '');
    const count = settings.split(',').length - 1;
    expect(policyIn(settingsIn({ settings: `${count}:${settings}` }))).toEqual(rules);
  });
});

describe('settings of the whole server are known only where all of them came', () => {
  test.each([
    ['all of them', '2:max_connections=151,max_password_errors=5,', 2],
    ['one without a value', '2:max_connections=151,validate_password.dictionary_file=,', 2],
    ['cut in a value', '2:max_connections=151,max_password_errors=42949', undefined],
    ['cut between two', '2:max_connections=151,', undefined],
    ['of a table that is empty', '1:max_password_errors=5,', undefined],
    ['none', null, undefined],
  ])('%s', (_what, settings, size) => {
    expect(settingsIn({ settings })?.size).toBe(size);
  });

  test('a server that is not asked, or cannot say', () => {
    expect(settingsIn({})).toBeUndefined();
    expect(settingsIn(undefined)).toBeUndefined();
  });
});
