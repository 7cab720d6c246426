import { expect, test } from 'vitest';
import { parsed, replaced, unreplaceable } from './samples.ts';

test('a rotation of fields and of a connection string beside them changes both, and no escape of the rest', () => {
  const value =
    '{\r\n  "username": "app_a", "password": "ol\\u0064",\r\n' +
    '  "ConnectionString": "Server=h\\u003bUser Id=app_a\\u003bPassword=old\\u003bApp=\\u0022x\\u0022",\r\n' +
    '  "password": "old", "n": 1.50, "copies": [ { "url": "postgres:\\/\\/app_a:old@h\\/d" }, { "pwd": "old" } ]\r\n}\r\n';
  expect(replaced(value, { username: 'app_b', password: 'a;b' })).toBe(
    '{\r\n  "username": "app_b", "password": "a;b",\r\n' +
      '  "ConnectionString": "Server=h\\u003bUser Id=app_b\\u003bPassword=\\"a;b\\"\\u003bApp=\\u0022x\\u0022",\r\n' +
      '  "password": "a;b", "n": 1.50, "copies": [ { "url": "postgres:\\/\\/app_b:a%3Bb@h\\/d" }, { "pwd": "a;b" } ]\r\n}\r\n',
  );
});

test('another password stays as it is', () => {
  const rest = '"admin":{"user":"root","password":"other"},"mail":{"password":"x"},"oldUrl":"redis://:x@h"}';
  expect(replaced(`{"user":"app","password":"old",${rest}`, { password: 'new' })).toBe(
    `{"user":"app","password":"new",${rest}`,
  );
});

test('the same password of another login is read, and not replaced: the old one would stay in the value', () => {
  const value = '{"user":"app","password":"old","admin":{"user":"root","password":"old"}}';
  expect(parsed(value).credential.username).toBe('app');
  expect(unreplaceable(value, { password: 'new' })).toMatch(/\$\.admin\.password holds the same password/);
  expect(replaced(value, { password: 'old' })).toBe(value);
});

test('the previous value of a self-issued secret is read beside the current one', () => {
  const { credential } = parsed('{"current":"c","previous":"p"}');
  expect(credential.password.reveal()).toBe('c');
  expect(credential.parts?.['previous']?.reveal()).toBe('p');
});

const rotated: readonly (readonly [claim: string, before: string, parts: Record<string, string>, after: string])[] = [
  ['is replaced', '{"previous": "x", "current": "c"}', { previous: 'c' }, '{"previous": "c", "current": "n"}'],
  ['takes the place of null', '{"current":"c","previous":null}', { previous: 'c' }, '{"current":"n","previous":"c"}'],
  ['is added behind the password', '{"current":"c","x":1}', { previous: 'c' }, '{"current":"n","previous":"c","x":1}'],
  [
    'is added in the same layout',
    '{\n  "x": 1,\n  "current" : "c"\n}',
    { previous: 'c', b: '"' },
    '{\n  "x": 1,\n  "current" : "n",\n  "previous" : "c",\n  "b" : "\\""\n}',
  ],
  ['is removed from the front', '{ "previous": "x", "current": "c" }', { previous: '' }, '{ "current": "n" }'],
  ['is removed from the end', '{"current":"c" , "previous":"x" }', { previous: '' }, '{"current":"n" }'],
  [
    'is removed with its neighbours',
    '{"a":"1","b":"2","current":"c","d":"3","e":"4","f":"5"}',
    { a: '', b: '', d: '', e: '', previous: 'c' },
    '{"current":"n","previous":"c","f":"5"}',
  ],
  ['may be missing already', '{"current":"c"}', { previous: '' }, '{"current":"n"}'],
  ['is left alone when nothing is said of it', '{"current":"c","previous":"x"}', {}, '{"current":"n","previous":"x"}'],
  [
    'may be a whole connection string',
    '{"key":"c","connectionString":"Endpoint=sb://h/;SharedAccessKey=c"}',
    { connectionString: 'Endpoint=sb://h/;EntityPath=q;SharedAccessKey=n' },
    '{"key":"n","connectionString":"Endpoint=sb://h/;EntityPath=q;SharedAccessKey=n"}',
  ],
  ['stands beside a nested password', '{"a":{"key":"c"}}', { keyId: '7' }, '{"a":{"key":"n","keyId":"7"}}'],
];

test.each(rotated)('a further part %s', (_, before, parts, after) => {
  expect(replaced(before, { password: 'n', parts })).toBe(after);
});

test('a JSON text that is one string is a connection string or the password itself', () => {
  const hint = { contentType: 'application/json' };
  expect(replaced('"postgres:\\/\\/a:b@h"\n', { password: '/' }, hint)).toBe('"postgres:\\/\\/a:%2F@h"\n');
  expect(replaced('"b"', { password: '"' }, hint)).toBe('"\\""');
});
