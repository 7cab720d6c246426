import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { formats, parseSecretValue } from '../../shared/secret-value/index.ts';
import { type Hint, parsed, refusal, replaced, unreplaceable } from './samples.ts';

type Row = readonly [claim: string, value: string, detail: RegExp, hint?: Hint];

const unreadable: readonly Row[] = [
  ['nothing', '', /^it is empty$/],
  ['blanks alone', ' \r\n', /^it is empty$/],
  [
    'JSON with two different passwords',
    '{"a":{"password":"x","token":"y"}}',
    /\$\.a\.password and \$\.a\.token could each/,
  ],
  ['JSON with a duplicate that differs', '{"password":"x","password":"y"}', /\$\.password and \$\.password could each/],
  [
    'JSON with different passwords side by side',
    '{"a":{"pwd":"x"},"b":[],"c":{"pwd":"y"}}',
    /\$\.a\.pwd and \$\.c\.pwd/,
  ],
  [
    'JSON with one password of two logins',
    '[{"user":"a","pwd":"x"},{"user":"b","pwd":"x"}]',
    /\$\[0\]\.pwd and \$\[1\]\.pwd/,
  ],
  ['JSON whose connection string differs', '{"password":"x","url":"redis://:y@h"}', /\$\.password and \$\.url/],
  ['JSON with two usernames', '{"user":"a","login":"b","password":"x"}', /two usernames/],
  ['JSON with a number as password', '{"db":{"password":1}}', /\$\.db\.password is no string/],
  ['JSON without a password', '{"name":"x"}', /no field/],
  ['JSON with a broken connection string', '{"url":"redis://:a@b@h"}', /\$\.url is no readable.*%40/],
  ['broken JSON', '{"password":"x",}', /no valid JSON/],
  ['JSON nested without end', `${'['.repeat(12_000)}${']'.repeat(12_000)}`, /nested more than 100 levels/],
  ['a URI without a password', 'postgres://app@h/d', /no password/],
  ['a URI with two at-signs', 'postgres://app:p@w@h/d', /%40/],
  ['a URI with an unencoded slash', 'postgres://app:p/w@h/d', /%2F/],
  ['a URI with an unencoded hash', 'postgres://app:pw@h/d?password=p#w', /%23/],
  ['a URI with a stray percent sign', 'postgres://app:p%zw@h/d', /%25/],
  ['a URI with half a character', 'postgres://app:p%c3@h/d', /%25/],
  ['a URI with two different passwords', 'jdbc:mysql://a:x@h/d?password=y', /two passwords/],
  ['a URI with a port out of range', 'postgres://a:x@h:70000/d', /port/],
  ['a URI with two ports', 'postgres://a:x@h:1:2/d', /port/],
  ['JDBC in a form without a host', 'jdbc:oracle:thin:a/x@h', /no URI/],
  ['libpq with duplicates that differ', 'host=h password=x password=y', /two passwords/],
  ['libpq with a connection string as dbname', 'host=h password=x dbname=postgres://a:b@c/d', /dbname/],
  ['libpq and ADO.NET at once', 'password=a;b host=h user=u', /both as libpq and as ado-net/],
  ['ADO.NET with duplicates that differ', 'Server=h;Password=x;PWD=y', /two passwords/],
  ['ADO.NET with two servers', 'Server=h;Data Source=i;PWD=y', /two servers/],
  ['ADO.NET with an open quote', 'Server=h;Password="x', /looks like a connection string/],
  ['ADO.NET with text behind a quote', 'Server=h;Password="x"y', /looks like a connection string/],
  ['ADO.NET whose equals sign belongs to the key', 'Server=h;Password==x', /no format reads it/],
  ['a value of a certificate', 'pw', /certificate/, { contentType: 'application/x-pkcs12' }],
  ['a content type of JSON on plain text', 'pw', /no valid JSON/, { contentType: 'application/json' }],
  ['a tag against the content type', '{}', /raw.*JSON/, { contentType: 'application/vnd.x+json', format: 'raw' }],
  ['the tag json on plain text', 'pw', /^the tag "format" says json, but it is no valid JSON$/, { format: 'json' }],
  ['the tag uri on plain text', 'pw', /says uri, but it is no URI/, { format: 'uri' }],
  ['the tag libpq on plain text', 'pw', /says libpq, but a keyword/, { format: 'libpq' }],
  ['the tag ado-net on plain text', 'pw', /says ado-net, but a part/, { format: 'ado-net' }],
  ['the tag ado-net on an open quote', "a=b;Pwd='x", /no closing quote/, { format: 'ado-net' }],
  [
    'the tag stackexchange-redis on plain text',
    'pw',
    /says stackexchange-redis, but/,
    { format: 'stackexchange-redis' },
  ],
];

test.each(unreadable.map((row) => ({ row, claim: row[0] })))('$claim is refused with its reason', ({ row }) => {
  const [, value, detail, hint] = row;
  expect(refusal(value, hint)).toMatch(detail);
});

const full: readonly (readonly [claim: string, value: string, next: string, detail: RegExp])[] = [
  ['raw takes no line break at the end', 'pw', 'x\n', /raw cannot hold/],
  ['raw takes nothing that would be recognised as something else', 'pw', 'redis://:x@h', /raw cannot hold/],
  ['a URI takes no half surrogate pair', 'redis://:pw@h', 'x\ud800', /surrogate/],
  ['ADO.NET takes no half surrogate pair', 'Server=h;Pwd=x', '\udc00', /surrogate/],
  ['ADO.NET takes no NUL', 'Server=h;Pwd=x', 'a\0b', /NUL/],
  ['libpq takes no NUL', 'host=h password=x', 'a\0b', /NUL/],
  ['StackExchange.Redis takes no comma', 'h,password=x', 'a,b', /comma/],
  ['StackExchange.Redis takes no blank at the end', 'h,password=x', 'ab ', /blank/],
  ['an Azure connection string takes no semicolon', 'AccountName=a;AccountKey=b', 'x;y', /semicolons/],
];

test.each(full)('%s', (_, value, next, detail) => {
  expect(unreplaceable(value, { password: next })).toMatch(detail);
});

test('a value without a place for the username refuses one', () => {
  expect(unreplaceable('pw', { username: 'app', password: 'x' })).toMatch(/no place for a username/);
  expect(unreplaceable('redis://h?password=a', { username: 'app', password: 'x' })).toMatch(/no place for a username/);
});

test('a password that begins with a byte order mark is refused where readers would leave the mark out', () => {
  const hint = { format: 'raw', leads: 'nowhere' } as const;
  expect(unreplaceable('old password', { password: '\ufeff;' }, hint)).toMatch(/byte order mark/);
  expect(parsed(replaced('\ufeffold', { password: '\ufeff;' }, hint), hint).credential.password.reveal()).toBe(
    '\ufeff;',
  );
});

test('a value that is no JSON object refuses further parts', () => {
  expect(unreplaceable('pw', { password: 'x', parts: { previous: 'y' } })).toMatch(/JSON object/);
  expect(unreplaceable('{"key":"pw"}', { password: 'x', parts: { key: 'y' } })).toMatch(/field of the password itself/);
});

describe('nothing of a value is ever told', () => {
  const canary = 'Kanarienvogel';
  const scraps = [
    ...[
      canary,
      canary,
      canary,
      ';',
      '=',
      '"',
      "'",
      ',',
      '{',
      '}',
      '[',
      ']',
      ':',
      '/',
      '@',
      '?',
      '&',
      '#',
      '%',
      '\\',
      ' ',
    ],
    ...[
      'password',
      'Password=',
      '"password":',
      '"url":',
      'User ID=',
      'host',
      '://',
      'postgres://',
      'jdbc:',
      'Server=h;',
      'h:1',
    ],
    ...['AccountKey=', 'Driver={', '\n', '\0', '"token":"', 'Port=', ':70000'],
  ];
  const hints: readonly Hint[] = [{}, { contentType: 'text/json' }, ...formats.map((format) => ({ format }))];

  test('by a refusal, whatever the value', () => {
    const value = fc.string({ unit: fc.constantFrom(...scraps), maxLength: 14 });
    fc.assert(
      fc.property(value, value, fc.constantFrom(...hints), (whole, next, hint) => {
        const outcome = parseSecretValue(new SecretText(whole), hint);
        const told =
          outcome.kind === 'unreadable'
            ? outcome
            : outcome.value.replace({ username: next, password: new SecretText(next) });
        expect(JSON.stringify(told)).not.toContain(canary);
      }),
      { numRuns: 2000 },
    );
  });

  test('by inspection of what was read', () => {
    const value = parsed(`{"current":"${canary}1","previous":"${canary}2","host":"h"}`);
    expect(inspect(value, { depth: 9, showHidden: true })).not.toContain(canary);
    expect(JSON.stringify(value)).not.toContain(canary);
  });

  test.each([
    `postgres://a:pw-${canary}@h/d?sslpassword=${canary}&token=${canary}&x=pw-${canary}&proxy=http%3A%2F%2Fa%3A${canary}%40h`,
    `mongodb://a:pw@h/d?authMechanismProperties=AWS_SESSION_TOKEN:${canary}&tlsCertificateKeyFilePassword=${canary}`,
    `host=h password=pw-${canary} sslpassword=${canary} passfile=${canary} options='-c my.password=${canary}'`,
    `Server=h;Password=pw-${canary};Certificate Password=${canary};SharedAccessSignature=sig=${canary};x=pw-${canary}`,
    `h:6380,password=${canary},sslpassword=${canary},$AUTH=${canary}`,
    `{"password":"${canary}","host":"h","note":"${canary}","secondaryKey":"${canary}","db":"mysql://a:${canary}@h"}`,
    `{"password":"pw","host":"https://a:${canary}@h","endpoint":"sb://h"}`,
    `https://a:pw@h/services/${canary}`,
  ])('by the endpoint of sample %#', (value) => {
    const { endpoint } = parsed(value);
    expect(endpoint?.host).toBe('h');
    expect(JSON.stringify(endpoint)).not.toContain(canary);
  });

  test('and a key named __proto__ changes no prototype', () => {
    const { endpoint } = parsed('redis://:pw@h?__proto__=x&constructor=y');
    expect(Object.getPrototypeOf(endpoint?.options)).toBe(Object.prototype);
    expect(Object.getOwnPropertyNames(endpoint?.options)).toEqual(['constructor', 'scheme']);
    expect(parsed('{"__proto__":{"port":1},"host":"h","password":"pw"}').endpoint).toEqual({ host: 'h', options: {} });
  });
});
