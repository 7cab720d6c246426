/** What the vault adapter sends and how it reads what comes back, request by request. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { KeyVault, type KeyVaultOptions } from '../../shared/vault/key-vault.ts';
import {
  type Answer,
  bundle,
  challenge,
  cut,
  fault,
  json,
  type ScriptedVault,
  serverDate,
  silent,
  startScriptedVault,
} from './scripted-vault.ts';

const canary = 'canary"value/with+odd characters%7';
const credential = { getToken: async () => ({ token: 'token-canary', expiresOnTimestamp: Date.now() + 3_600_000 }) };
const soon = () => AbortSignal.timeout(20_000);

let server: ScriptedVault;
let pauses: number[];

beforeEach(async () => {
  server = await startScriptedVault();
  pauses = [];
});
afterEach(() => server[Symbol.asyncDispose]());

function vault(more: Partial<KeyVaultOptions> = {}): KeyVault {
  const waiting = {
    pause: async (ms: number) => {
      pauses.push(ms);
    },
    random: () => 0.5,
  };
  return new KeyVault({ url: server.url, credential, waiting, ...more });
}

const puts = () => server.seen.filter((one) => one.method === 'PUT');
const found = (version = 'v1', more: Record<string, unknown> = {}): Answer =>
  json(200, bundle(server.url, 'orders', version, { value: canary, ...more }));
const throttled = (headers: Record<string, string> = {}): Answer =>
  json(429, { error: { code: 'Throttled', message: 'too many' } }, headers);
const newVersion = { value: new SecretText(canary), tags: { rotator: 'postgres' } };

describe('reading', () => {
  it('gives the version with the time of the vault, not of the worker', async () => {
    server.answer(found('v1', { tags: { a: 'b' }, contentType: 'text/plain', attributes: { exp: 1_800_000_000 } }));
    const outcome = await vault().read('orders', { signal: soon() });
    expect(outcome).toMatchObject({
      kind: 'found',
      secret: {
        name: 'orders',
        version: 'v1',
        enabled: true,
        readAt: serverDate,
        createdAt: new Date(1_700_000_000_000),
        expiresAt: new Date(1_800_000_000_000),
        tags: { a: 'b' },
        contentType: 'text/plain',
      },
    });
    if (outcome.kind === 'found') expect(outcome.secret.value.reveal()).toBe(canary);
  });

  it.each([
    [404, 'SecretNotFound', undefined, 'not-found'],
    [403, 'Forbidden', 'SecretDisabled', 'disabled'],
  ])('takes %i %s %s for %s', async (status, code, inner, kind) => {
    server.answer(fault(status, code, 'said so', inner));
    expect(await vault().read('orders', { signal: soon() })).toEqual({ kind });
    expect(server.seen).toHaveLength(1);
  });

  it.each([
    [403, 'Forbidden', 'ForbiddenByRbac', 'vault-forbidden', 'blocked'],
    [401, 'Unauthorized', undefined, 'vault-forbidden', 'blocked'],
    [400, 'BadParameter', undefined, 'vault-refused', 'blocked'],
    [500, 'InternalServerError', undefined, 'vault-unreachable', 'retry'],
    [503, 'ServiceUnavailable', undefined, 'vault-unreachable', 'retry'],
  ])('takes %i %s %s for %s', async (status, code, inner, failure, failureClass) => {
    server.answer(fault(status, code, 'said so', inner));
    const outcome = await vault().read('orders', { signal: soon() });
    expect(outcome).toMatchObject({ kind: 'failed', code: failure, class: failureClass });
    expect(JSON.stringify(outcome)).toContain(inner ?? code);
  });

  it('sends a read again after a lost answer and after a 503', async () => {
    server.answer(cut, fault(503, 'ServiceUnavailable', 'x'), found());
    expect(await vault().read('orders', { signal: soon() })).toMatchObject({ kind: 'found' });
    expect(server.seen).toHaveLength(3);
  });

  it('ends when the signal aborts, and takes it for no answer', async () => {
    server.answer(silent);
    const outcome = await vault().read('orders', { signal: AbortSignal.timeout(150) });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'vault-unreachable' });
    expect(server.seen).toHaveLength(1);
  });

  it('does not judge time by an answer without a clock', async () => {
    server.answer((response) => {
      response.sendDate = false;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(bundle(server.url, 'orders', 'v1', { value: 'x' })));
    });
    // The challenge carried a Date; the answer that counts did not.
    expect(await vault().read('orders', { signal: soon() })).toMatchObject({ kind: 'failed' });
  });

  it('says so when nobody listens', async () => {
    await server[Symbol.asyncDispose]();
    const outcome = await vault().read('orders', { signal: soon() });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'vault-unreachable', class: 'retry' });
    expect(JSON.stringify(outcome)).toContain('ECONNREFUSED');
  });

  it('says so when the identity gets no token, and sends nothing', async () => {
    const refused = Object.assign(new Error('no such client\nmore lines'), {
      name: 'AuthenticationError',
      statusCode: 401,
    });
    const outcome = await vault({ credential: { getToken: () => Promise.reject(refused) } }).read('orders', {
      signal: soon(),
    });
    expect(outcome).toMatchObject({
      code: 'vault-forbidden',
      message: expect.stringContaining('no token: no such client'),
    });
    expect(server.seen).toHaveLength(0);
  });
});

describe('throttling', () => {
  it('is waited out by the seconds the vault asks for', async () => {
    server.answer(throttled({ 'retry-after': '7' }), found());
    expect(await vault().read('orders', { signal: soon() })).toMatchObject({ kind: 'found' });
    expect(pauses).toEqual([7250]);
  });

  it('without a Retry-After backs off 1, 2, 4, 8, 16 s with full jitter, then gives the work back', async () => {
    server.answer(throttled());
    const outcome = await vault().read('orders', { signal: soon() });
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000]);
    expect(outcome).toMatchObject({ code: 'vault-throttled', class: 'retry' });
    expect(server.seen).toHaveLength(6);
  });

  it('is waited out for a write too, which was not processed', async () => {
    server.answer(fault(404, 'SecretNotFound', 'x'), throttled(), found('v2'));
    expect(await vault().write('orders', newVersion, { signal: soon() })).toMatchObject({ kind: 'written' });
    expect(puts()).toHaveLength(2);
  });

  it('gives the work back at once when the vault asks for more than a minute, and says for how long', async () => {
    server.answer(throttled({ 'retry-after': '600' }));
    const outcome = await vault().read('orders', { signal: soon() });
    expect(outcome).toMatchObject({ code: 'vault-throttled', retryAfterSeconds: 600 });
    expect(pauses).toEqual([]);
  });

  it('ends with the signal while it waits', async () => {
    server.answer(throttled({ 'retry-after': '30' }));
    const impatient = new KeyVault({ url: server.url, credential });
    expect(await impatient.read('orders', { signal: AbortSignal.timeout(200) })).toMatchObject({
      code: 'vault-throttled',
    });
    expect(server.seen).toHaveLength(1);
  });
});

describe('writing', () => {
  it('sends value, tags, content type and times in one call', async () => {
    server.answer(fault(404, 'SecretNotFound', 'x'), found('v2'));
    const version = { ...newVersion, contentType: 'text/plain', expiresAt: new Date(1_900_000_000_000) };
    const outcome = await vault().write('orders', version, { signal: soon() });
    expect(outcome).toMatchObject({ kind: 'written', secret: { version: 'v2' } });
    expect(JSON.parse(puts()[0]?.body ?? '')).toEqual({
      value: canary,
      tags: { rotator: 'postgres' },
      contentType: 'text/plain',
      attributes: { exp: 1_900_000_000 },
    });
  });

  it.each([
    ['a connection cut after sending', cut],
    ['a 500', fault(500, 'InternalServerError', 'x')],
    ['a 503', fault(503, 'ServiceUnavailable', 'x')],
  ])('is never sent twice after %s', async (_, answer) => {
    server.answer(found(), answer);
    const writer = vault();
    await writer.read('orders', { signal: soon() });
    const outcome = await writer.write('orders', newVersion, { signal: soon() });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'vault-unreachable', class: 'retry' });
    expect(puts()).toHaveLength(1);
  });

  it('of many at once on a fresh client sends no empty body', async () => {
    server.answer((response, seen) =>
      seen.method === 'GET' ? fault(404, 'SecretNotFound', 'x')(response, seen) : found('v2')(response, seen),
    );
    const writer = vault();
    const names = Array.from({ length: 8 }, (_, index) => `secret-${index}`);
    await Promise.all(names.map((name) => writer.write(name, newVersion, { signal: soon() })));
    expect(puts()).toHaveLength(8);
    expect(puts().filter((one) => JSON.parse(one.body).value !== canary)).toEqual([]);
    expect(server.seen.filter((one) => one.method === 'GET')).toHaveLength(1);
  });

  it('recovers a deleted secret of that name first, and never purges', async () => {
    const states = { recovered: false };
    server.answer((response, seen) => {
      if (seen.method === 'POST') {
        states.recovered = true;
        expect(seen.path).toMatch(/^\/deletedsecrets\/orders\/recover/);
        return found()(response, seen);
      }
      if (states.recovered) return found(seen.method === 'PUT' ? 'v2' : 'v1')(response, seen);
      return seen.method === 'GET'
        ? fault(404, 'SecretNotFound', 'x')(response, seen)
        : fault(409, 'Conflict', 'deleted', 'ObjectIsDeletedButRecoverable')(response, seen);
    });
    expect(await vault().write('orders', newVersion, { signal: soon() })).toMatchObject({ kind: 'written' });
    expect(server.seen.map((one) => one.method)).not.toContain('DELETE');
    expect(puts()).toHaveLength(2);
  });

  it('names the deleted secret when it may not recover it', async () => {
    server.answer((response, seen) => {
      if (seen.method === 'POST') return fault(403, 'Forbidden', 'no', 'ForbiddenByRbac')(response, seen);
      return seen.method === 'GET'
        ? fault(404, 'SecretNotFound', 'x')(response, seen)
        : fault(409, 'Conflict', 'deleted', 'ObjectIsDeletedButRecoverable')(response, seen);
    });
    const outcome = await vault().write('orders', newVersion, { signal: soon() });
    expect(outcome).toMatchObject({ code: 'secret-deleted', class: 'blocked' });
  });

  it('waits while the name is being deleted', async () => {
    const deleting = fault(409, 'Conflict', 'x', 'ObjectIsBeingDeleted');
    server.answer(fault(404, 'SecretNotFound', 'x'), deleting, deleting, found('v2'));
    expect(await vault().write('orders', newVersion, { signal: soon() })).toMatchObject({ kind: 'written' });
    server.answer(deleting);
    expect(await vault().write('orders', newVersion, { signal: soon() })).toMatchObject({
      code: 'vault-busy',
      class: 'retry',
    });
  });

  it('is authenticated anew when the vault asks for it, and sends its whole body again', async () => {
    server.answer(found(), json(401, {}, { 'www-authenticate': challenge }), found('v2'));
    const writer = vault();
    await writer.read('orders', { signal: soon() });
    expect(await writer.write('orders', newVersion, { signal: soon() })).toMatchObject({ kind: 'written' });
    expect(puts().map((one) => JSON.parse(one.body).value)).toEqual([canary, canary]);
  });

  it('with a token that is not accepted is refused by name', async () => {
    server.answer(found(), fault(401, 'Unauthorized', 'AKV10000'));
    const writer = vault();
    await writer.read('orders', { signal: soon() });
    expect(await writer.write('orders', newVersion, { signal: soon() })).toMatchObject({ code: 'vault-forbidden' });
  });

  it('after a read costs one call', async () => {
    server.answer(found(), found('v2'));
    const writer = vault();
    await writer.read('orders', { signal: soon() });
    await writer.write('orders', newVersion, { signal: soon() });
    expect(server.seen.map((one) => one.method)).toEqual(['GET', 'PUT']);
  });
});

describe('changing', () => {
  it('sends only what shall change', async () => {
    server.answer(found('v1'));
    await vault().change('orders', 'v1', { enabled: false }, { signal: soon() });
    const patch = server.seen.find((one) => one.method === 'PATCH');
    expect(patch?.path).toMatch(/^\/secrets\/orders\/v1\?/);
    expect(JSON.parse(patch?.body ?? '')).toEqual({ attributes: { enabled: false } });
  });

  it('of a version that is not there names the secret', async () => {
    server.answer(fault(404, 'SecretNotFound', 'x'));
    const outcome = await vault().change('orders', 'v9', { enabled: false }, { signal: soon() });
    expect(outcome).toMatchObject({ code: 'secret-missing' });
  });
});

describe('listing', () => {
  const page = (names: readonly string[], next?: string): Answer =>
    json(200, {
      value: names.map((name) => ({ ...bundle(server.url, name, ''), id: `${server.url}/secrets/${name}` })),
      nextLink: next === undefined ? null : `${server.url}${next}`,
    });

  it('costs one call a page and reads no secret', async () => {
    server.answer(page(['a', 'b'], '/secrets?api-version=7.6&$skiptoken=x'), throttled(), cut, page(['c']));
    const pages = [];
    for await (const one of vault().list({ signal: soon() })) pages.push(one);
    expect(pages.map((one) => (one.kind === 'page' ? one.secrets.map((secret) => secret.name) : one))).toEqual([
      ['a', 'b'],
      ['c'],
    ]);
    expect(pages[1]).toMatchObject({ readAt: serverDate });
    // One for each page, one throttled and one lost.
    expect(server.seen).toHaveLength(4);
    expect(server.seen[0]?.path).toContain('maxresults=25');
    expect(server.seen[1]?.path).toBe('/secrets?api-version=7.6&$skiptoken=x');
  });

  it('ends with a failure when a later page cannot be read', async () => {
    server.answer(
      page(['a'], '/secrets?$skiptoken=x&api-version=7.6'),
      fault(403, 'Forbidden', 'x', 'ForbiddenByRbac'),
    );
    const kinds = [];
    for await (const one of vault().list({ signal: soon() })) kinds.push(one.kind === 'page' ? 'page' : one.code);
    expect(kinds).toEqual(['page', 'vault-forbidden']);
  });

  it('stops within a later page when the signal aborts', async () => {
    server.answer(page(['a'], '/secrets?$skiptoken=x&api-version=7.6'), silent);
    const kinds = [];
    for await (const one of vault().list({ signal: AbortSignal.timeout(300) })) kinds.push(one.kind);
    expect(kinds).toEqual(['page', 'failed']);
  });

  const version = (id: string, created: number) => bundle(server.url, 'orders', id, { attributes: { created } });

  it('gives versions newest first, however the service lists them', async () => {
    server.answer(
      json(200, { value: [version('old', 100), version('new', 300), version('mid', 200)], nextLink: null }),
    );
    const outcome = await vault().versions('orders', { signal: soon() });
    expect(outcome.kind === 'listed' && outcome.versions.map((one) => one.version)).toEqual(['new', 'mid', 'old']);
    expect(server.seen).toHaveLength(1);
  });

  it('asks which is current when two versions are of the same second', async () => {
    server.answer(json(200, { value: [version('one', 300), version('two', 300)], nextLink: null }), found('two'));
    const outcome = await vault().versions('orders', { signal: soon() });
    expect(outcome.kind === 'listed' && outcome.versions.map((one) => one.version)).toEqual(['two', 'one']);
  });
});

describe('secrecy', () => {
  it('keeps value and token out of every failure, whatever the vault says', async () => {
    const echo: Answer = (response, seen) =>
      fault(400, 'BadParameter', `cannot take ${canary} nor ${JSON.stringify(canary)}`, undefined)(response, seen);
    const outcomes = [];
    for (const answer of [echo, cut, fault(500, 'x', canary), fault(403, 'Forbidden', encodeURIComponent(canary))]) {
      server.answer(found(), answer);
      const writer = vault();
      await writer.read('orders', { signal: soon() });
      outcomes.push(await writer.write('orders', newVersion, { signal: soon() }));
    }
    for (const outcome of outcomes) {
      expect(outcome.kind).toBe('failed');
      const shown = inspect(outcome, { depth: 20, showHidden: true }) + JSON.stringify(outcome);
      for (const secret of [canary, 'token-canary', encodeURIComponent(canary), JSON.stringify(canary).slice(1, -1)]) {
        expect(shown).not.toContain(secret);
      }
    }
  });

  it.each(['http://vault.example', 'http://10.0.0.1', 'ftp://127.0.0.1', 'http://127.0.0.1.example.com'])(
    'is refused by %s before anything is sent',
    (url) => {
      expect(() => new KeyVault({ url, credential })).toThrow(TypeError);
    },
  );

  it('names the vault by the first label of its host', () => {
    expect(new KeyVault({ url: 'https://contoso-kv.vault.azure.net', credential }).name).toBe('contoso-kv');
  });
});
