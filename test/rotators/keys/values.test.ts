/** Keys inside the values that people keep: read, rotated in place, and read again. */
import { describe, expect, it } from 'vitest';
import { selfIssued } from '../../../rotators/self-issued/entry.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { parseSecretValue, type SecretValue } from '../../../shared/secret-value/index.ts';
import { makeStep } from '../../conformance/step.ts';

const key = Buffer.alloc(32, 'k').toString('base64');
const next = Buffer.alloc(32, 'n').toString('base64');

function parsed(text: string): SecretValue {
  const outcome = parseSecretValue(new SecretText(text), {});
  if (outcome.kind !== 'parsed') throw new Error(outcome.detail);
  return outcome.value;
}

function replaced(value: SecretValue, credential: Credential): string {
  const outcome = value.replace(credential);
  if (outcome.kind !== 'replaced') throw new Error(outcome.detail);
  return outcome.value.reveal();
}

describe('the key of a connection string is replaced and nothing else', () => {
  it.each([
    `DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${key};EndpointSuffix=core.windows.net`,
    `AccountEndpoint=https://shop.documents.azure.com:443/;AccountKey=${key};`,
    `Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=${key};EntityPath=orders`,
    `Endpoint=https://shop.service.signalr.net;AccessKey=${key};Version=1.0;`,
    `shop.redis.cache.windows.net:6380,password=${key},ssl=True,abortConnect=False`,
    `{"username":"shop","password":"${key}"}`,
    key,
  ])('%s', (text) => {
    const value = parsed(text);
    expect(value.credential.password.reveal()).toBe(key);
    expect(replaced(value, { ...value.credential, password: new SecretText(next) })).toBe(text.replace(key, next));
  });

  it('with its id, for App Configuration', () => {
    const value = parsed(`Endpoint=https://shop.azconfig.io;Id=old-id;Secret=${key}`);
    expect(value.credential.username).toBe('old-id');
    const credential = { ...value.credential, username: 'new-id', password: new SecretText(next) };
    expect(replaced(value, credential)).toBe(`Endpoint=https://shop.azconfig.io;Id=new-id;Secret=${next}`);
  });
});

describe('a value of a current and a previous key', () => {
  const rotate = async (text: string): Promise<string> => {
    const value = parsed(text);
    const rotator = await selfIssued.load({
      trustedCertificates: [],
      connectTimeoutMs: 1_000,
      getToken: async () => new SecretText('unused'),
      allowedHosts: [],
      cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
    });
    const nowhere = { host: '', options: {} };
    const options = selfIssued.options.parse({});
    const parts = {
      current: value.credential,
      endpoint: nowhere,
      adminEndpoint: nowhere,
      admin: { kind: 'self' },
      options,
    } as const;
    const candidate = rotator.propose(makeStep('self-issued', parts), value.credential);
    if ('kind' in candidate) throw new Error(candidate.message);
    return replaced(value, candidate);
  };

  it.each([
    '{"current":"first"}',
    '{"current":"first","previous":"zeroth"}',
    '{"current":"first","previous":""}',
    '{"current":"first","previous":null}',
  ])('%s keeps the old key after every rotation, also after previous ones were retired', async (text) => {
    const once = await rotate(text);
    expect(JSON.parse(once)).toEqual({ current: expect.stringMatching(/^[A-Za-z0-9]{40}$/), previous: 'first' });
    const value = parsed(once);
    const retired = replaced(value, { ...value.credential, parts: { previous: new SecretText('') } });
    expect(JSON.parse(retired)).not.toHaveProperty('previous');
    const twice = JSON.parse(await rotate(retired));
    expect(twice.previous).toBe(JSON.parse(once).current);
  });

  it('is not seen in a value of one key', async () => {
    expect(JSON.parse(await rotate('{"apiKey":"first"}'))).toEqual({ apiKey: expect.any(String) });
    expect(await rotate('first')).toMatch(/^[A-Za-z0-9]{40}$/);
  });
});
