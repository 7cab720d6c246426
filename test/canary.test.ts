import { describe, expect, test } from 'vitest';
import { SecretText } from '../shared/contract/secret-text.ts';
import { findSecrets } from './canary.ts';

const secret = 'kt/Canary+"quoted" 1';
const bytes = Buffer.from(secret);

describe('the canary search', () => {
  test.each<readonly [string, unknown]>([
    ['a string', `before ${secret} after`],
    [
      'the cause of a cause of an error',
      new Error('outer', { cause: new Error('middle', { cause: new Error(secret) }) }),
    ],
    ['a property that is not enumerable', Object.defineProperty({}, 'hidden', { value: { deep: [secret] } })],
    ['a symbol property', { [Symbol('s')]: secret }],
    ['a key of an object', { [secret]: 1 }],
    ['a map and a set', new Map([[1, new Set([secret])]])],
    ['bytes', Buffer.from(`x${secret}x`)],
    ['bytes of a wide text', Buffer.from(secret, 'utf16le')],
    ['hex', bytes.toString('hex')],
    ['base64', bytes.toString('base64')],
    ['base64 of a longer text, at each alignment', Buffer.from(`user:${secret}:more`).toString('base64')],
    ['base64url', Buffer.from(`:${secret}`).toString('base64url')],
    ['a URL', encodeURIComponent(secret)],
    ['a form', new URLSearchParams({ password: secret }).toString()],
    ['JSON', JSON.stringify({ password: secret })],
    ['a getter', Object.defineProperty({}, 'late', { get: () => secret })],
    ['an object that holds itself', loop()],
  ])('finds a secret in %s', (_, where) => {
    expect(findSecrets(where, [secret])).not.toEqual([]);
  });

  test('finds nothing in a wrapped secret, and nothing where there is none', () => {
    expect(findSecrets({ password: new SecretText(secret), error: new Error('no such role') }, [secret])).toEqual([]);
    expect(findSecrets(['', secret], [''])).toEqual([]);
  });
});

function loop(): unknown {
  const self: Record<string, unknown> = {};
  self['self'] = self;
  self['secret'] = { secret };
  return self;
}
