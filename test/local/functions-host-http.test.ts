import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import type { FunctionsHost } from '../../local/functions-host/index.ts';
import { logged, saying, startFixture } from './functions-app.ts';

describe.each(['off', 'on'])('with HTTP streaming %s', (streaming) => {
  let azurite: Azurite;
  let host: FunctionsHost;

  beforeAll(async () => {
    azurite = await startAzurite();
    host = await startFixture(azurite.connectionString, {
      settings: { 'AzureWebJobs.switchedOff.Disabled': 'true', HTTP_STREAM: streaming },
    });
  });
  afterAll(async () => {
    await host?.close();
    await azurite?.close();
  });

  const get = (path: string, init?: RequestInit) => fetch(`${host.url}${path}`, { redirect: 'manual', ...init });

  test.each([
    ['GET', '/api/echo', 200],
    ['GET', '/api/echo/', 200],
    ['GET', '/API/Echo/someone', 200],
    ['DELETE', '/api/echo', 404],
    ['GET', '/api/echo/a/b', 404],
    ['GET', '/echo', 404],
    ['GET', '/api/absent', 404],
    ['GET', '/api/switchedOff', 404],
    ['GET', '/api/throws', 500],
    ['GET', '/', 200],
  ])('%s %s is answered with %i', async (method, path, status) => {
    const answer = await get(path, { method });
    expect(answer.status).toBe(status);
    if (status !== 200) expect(await answer.text()).toBe('');
  });

  test('a function gets method, full address, decoded parameters, joined query values, headers and body bytes', async () => {
    const body = new Uint8Array([0, 255, 10, 13]);
    const answer = await get('/api/echo/J%C3%BCrgen?a=1&a=2&b=%26', {
      method: 'PUT',
      body,
      headers: { 'x-sample': 'yes' },
    });
    expect(await answer.json()).toEqual({
      method: 'PUT',
      url: `${host.url}/api/echo/J%C3%BCrgen?a=1&a=2&b=%26`,
      params: { name: 'Jürgen' },
      // The host joins what came twice; with streaming the function sees the address itself.
      query: { a: streaming === 'on' ? '2' : '1,2', b: '&' },
      header: 'yes',
      body: Buffer.from(body).toString('base64'),
    });
  });

  test.each([
    ['/api/orders/12', 'by id'],
    ['/api/orders/latest', 'latest'],
    ['/api/orders/LATEST', 'latest'],
    ['/api/orders/twelve', 'by name'],
  ])('of several routes for %s the most specific one answers', async (path, text) => {
    expect(await (await get(path)).text()).toBe(text);
  });

  test('a catch-all parameter takes the rest of the path, and may be empty', async () => {
    expect(await (await get('/api/files/a/b%20c/d.txt')).json()).toMatchObject({ params: { rest: 'a/b c/d.txt' } });
    expect(await (await get('/api/files')).json()).toMatchObject({ params: {} });
  });

  test('status, headers, cookies and binary bodies of an answer arrive unchanged', async () => {
    const sent = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const answer = await get('/api/binary', { method: 'POST', body: sent });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-answer')).toBe('yes');
    expect(answer.headers.getSetCookie()).toEqual([
      streaming === 'on'
        ? 'seen=1; Max-Age=60; HttpOnly; SameSite=Strict'
        : 'seen=1; max-age=60; samesite=Strict; httponly',
    ]);
    expect(Buffer.from(await answer.arrayBuffer()).equals(sent)).toBe(true);
  });

  test('an exception is told to the log with its function, and not to the caller', async () => {
    await get('/api/throws');
    const [record] = await logged(host, saying('a reason only the log may know'));
    expect(record).toMatchObject({ level: 'error', category: 'system', functionName: 'throws', instance: 0 });
  });

  const keyOf = (name: string): string =>
    ({
      master: host.keys.master,
      system: host.keys.system,
      host: host.keys.host,
      own: host.keys.functions['guarded'] ?? '',
      other: host.keys.functions['administered'] ?? '',
      wrong: 'wrong',
      none: '',
    })[name] ?? '';

  test.each([
    ['guarded', 'none', 401],
    ['guarded', 'wrong', 401],
    ['guarded', 'system', 401],
    ['guarded', 'other', 401],
    ['guarded', 'own', 200],
    ['guarded', 'host', 200],
    ['guarded', 'master', 200],
    ['administered', 'none', 401],
    ['administered', 'own', 401],
    ['administered', 'host', 401],
    ['administered', 'other', 401],
    ['administered', 'master', 200],
    ['echo', 'wrong', 200],
    ['switchedOff', 'master', 200],
  ])('%s with the key "%s" is answered with %i', async (name, key, status) => {
    const inHeader = await get(`/api/${name}`, { headers: { 'x-functions-key': keyOf(key) } });
    const inQuery = await get(`/api/${name}?code=${encodeURIComponent(keyOf(key))}`);
    expect([inHeader.status, inQuery.status]).toEqual([status, status]);
  });

  test('a wrong key in the header is not saved by a right one in the query', async () => {
    const answer = await get(`/api/guarded?code=${keyOf('own')}`, { headers: { 'x-functions-key': 'wrong' } });
    expect(answer.status).toBe(401);
  });

  /** As .NET's PostAsJsonAsync sends it, and a fetch with a stream. */
  const chunked = (text: string) => {
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      },
    });
    return get('/api/echo', { method: 'POST', body, duplex: 'half' });
  };

  test(`a body without a length arrives ${streaming === 'on' ? 'whole' : 'empty'}`, async () => {
    const answer = await chunked('{"reason":"a leak"}');
    const body = streaming === 'on' ? Buffer.from('{"reason":"a leak"}').toString('base64') : '';
    expect(await answer.json()).toMatchObject({ method: 'POST', body });
  });

  if (streaming === 'on')
    test('an answer that is a stream arrives event by event', async () => {
      const answer = await get('/api/events');
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
      expect((await reader?.read())?.value).toBe('data: first\n\n');
      expect((await get('/api/events', { method: 'POST' })).status).toBe(202);
      expect((await reader?.read())?.value).toBe('data: second\n\n');
      expect((await reader?.read())?.done).toBe(true);
    });

  if (streaming === 'off')
    test('a function that returns nothing is answered with 204', async () => {
      expect((await get('/api/nothing')).status).toBe(204);
    });

  const admin = () => ({ headers: { 'x-functions-key': host.keys.master } });

  test('the status and the list of functions want the master key', async () => {
    expect((await get('/admin/host/status')).status).toBe(401);
    expect((await get('/admin/functions', { headers: { 'x-functions-key': host.keys.host } })).status).toBe(401);
    expect(await (await get('/admin/host/status', admin())).json()).toMatchObject({ state: 'Running' });
    const listed: unknown = await (await get('/admin/functions', admin())).json();
    expect(listed).toContainEqual(expect.objectContaining({ name: 'echo', invoke_url_template: '/api/echo/{name?}' }));
    expect((await get('/admin/host/ping')).status).toBe(200);
  });

  test('an administrator starts any function and is answered at once', async () => {
    const run = (name: string, init: RequestInit) => get(`/admin/functions/${name}`, { method: 'POST', ...init });
    const body = JSON.stringify({ input: '{"id":"by hand"}' });
    expect((await run('work', { body })).status).toBe(401);
    expect((await run('absent', { ...admin(), body })).status).toBe(404);
    expect((await run('work', { ...admin(), body: 'no json' })).status).toBe(400);
    expect((await run('work', { ...admin(), body })).status).toBe(202);
    await logged(host, saying('{"ended":"by hand"}'));
    expect((await run('tick', { ...admin(), body: '{}' })).status).toBe(202);
    await logged(host, saying('{"tick":"begins"'));
  });
});
