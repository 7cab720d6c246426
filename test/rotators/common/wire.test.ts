import { describe, expect, test } from 'vitest';
import { networkFault, tlsFault } from '../../../rotators/common/network.ts';
import { leftOut, quoted, scrubbed, scrubbedText } from '../../../rotators/common/scrub.ts';
import { targetName, usesTls } from '../../../rotators/common/transport.ts';
import { authorities } from '../../../shared/authorities.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { isLoopback } from '../../../shared/loopback.ts';
import { findSecrets } from '../../canary.ts';

const coded = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more });

describe('a network failure', () => {
  test('is found along causes and among the addresses tried', () => {
    expect(networkFault(coded('ECONNREFUSED'))).toBe('ECONNREFUSED');
    expect(networkFault(new Error('driver', { cause: coded('ETIMEDOUT') }))).toBe('ETIMEDOUT');
    expect(networkFault(new AggregateError([coded('EACCES'), coded('ENETUNREACH')]))).toBe('ENETUNREACH');
    expect(networkFault(new DOMException('over', 'AbortError'))).toBe('ABORT_ERR');
  });

  test('is not a refusal, nor a certificate nobody knows', () => {
    expect(networkFault(coded('28P01'))).toBeUndefined();
    expect(networkFault(coded('SELF_SIGNED_CERT_IN_CHAIN'))).toBeUndefined();
    expect(tlsFault(coded('SELF_SIGNED_CERT_IN_CHAIN'))).toBe('SELF_SIGNED_CERT_IN_CHAIN');
    expect(tlsFault(coded('ERR_TLS_CERT_ALTNAME_INVALID'))).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(tlsFault(coded('ECONNRESET'))).toBeUndefined();
  });
});

describe('a plain connection', () => {
  const to = (host: string) => ({ host, options: {} });

  test.each(['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]', 'LOCALHOST'])('is made to %s', (host) => {
    expect(isLoopback(host)).toBe(true);
    expect(usesTls(to(host), 'unsaid')).toBe(false);
    expect(usesTls(to(host), 'required')).toBe(true);
  });

  test.each(['db.example.com', '10.0.0.1', '127.evil.example', 'localhost.example.com', '0.0.0.0', '::', '128.0.0.1'])(
    'is never made to %s',
    (host) => {
      expect(usesTls(to(host), 'unsaid')).toBe(true);
    },
  );
});

test('the authorities of the app are added to those of the system, not put in their place', () => {
  expect(authorities([])).toBeUndefined();
  const all = authorities(['own']);
  expect(all?.at(-1)).toBe('own');
  expect(all?.length).toBeGreaterThan(1);
});

test('a target is named by host and port', () => {
  expect(targetName({ host: 'db', options: {} }, 5432)).toBe('db:5432');
  expect(targetName({ host: '::1', port: 1, options: {} }, 5432)).toBe('[::1]:1');
});

test('a scrubbed error keeps name and code, nothing a driver hung onto it, and no message that held a secret', () => {
  const secret = 'kt-"canary" 1';
  const error = coded('42601', { internalQuery: `ALTER ROLE x PASSWORD '${secret}'`, cause: new Error(secret) });
  error.message = `syntax error near ${secret}, also ${encodeURIComponent(secret)}`;
  const clean = scrubbed(error, [new SecretText(secret), new SecretText('')]);
  expect(clean).toMatchObject({ message: leftOut, code: '42601', name: 'Error' });
  expect(findSecrets(clean, [secret])).toEqual([]);
  expect(scrubbedText('nothing', [])).toBe('nothing');
});

test('a quoted sentence holds no known secret in any encoding, no run that could be a key, no control character and no more than 200', () => {
  const secret = new SecretText('kt "canary" 1');
  const said = `bad key ${encodeURIComponent(secret.reveal())}\r\nnot sk_live_0123456789abcdefghij ${'word '.repeat(60)}`;
  const clean = quoted(said, [secret, undefined]);
  expect(clean).toBe(leftOut);
  const without = quoted(said, []);
  expect(without).toMatch(/ not \[cut\] word /);
  expect(without).toHaveLength(201);
});
