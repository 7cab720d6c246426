/** Whatever is sent: an answer that says which field and why, never a 500, and nothing that changes. */
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { describedRoutes } from '../../local/describe-api.ts';
import { type Backend, type Called, keyOf, problemCode, startBackend } from './backend.ts';

const { routes } = await describedRoutes();
const writing = routes.filter((route) => route.method !== 'GET');
const reading = routes.filter((route) => route.method === 'GET');

let backend: Backend;
let planted: Awaited<ReturnType<Backend['stage']['plant']>>;
beforeAll(async () => {
  backend = await startBackend();
  planted = await backend.stage.plant('sound', { days: 80 });
});
afterAll(async () => {
  await backend?.close();
});

const address = (path: string) =>
  path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) =>
      ({
        vault: 'local',
        secret: 'sound',
        version: planted.version,
        rotationId: '0'.repeat(32),
        approvalId: '0'.repeat(32),
      })[name] ?? name,
  );

function expectProblem(called: Called, what: string): void {
  expect(called.status, `${what}: ${called.text}`).toBeGreaterThanOrEqual(400);
  expect(called.status, `${what}: ${called.text}`).toBeLessThan(500);
  problemCode(called);
}

/** What nobody means: never a body with all that a route wants. */
const nonsense = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.dictionary(
    fc.constantFrom('reason', 'selector', 'confirm', 'frozen', 'to', '__proto__', 'constructor', 'schemaId', 'data'),
    fc.jsonValue(),
  ),
  fc.record({ reason: fc.constantFrom(7, null, '', '\u0000', 'x'.repeat(600), ['a'], {}) }),
  fc.constantFrom({ reason: 'r', unknown: 1 }, { selector: { tags: { a: {} } }, confirm: -1, reason: 'r' }),
);

/** A reason by chance is a body that some routes take. */
function isMeant(body: unknown): boolean {
  const { success } = z.strictObject({ reason: z.string().trim().min(1) }).safeParse(body);
  return success;
}

test.each(writing.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s answers nonsense with what is wrong with it',
  async (name, route) => {
    const as = route.needs === 'consumer' ? 'consumer' : 'emergency';
    await fc.assert(
      fc.asyncProperty(nonsense, async (body) => {
        // The one route whose body may be empty.
        if (route.needs === 'consumer' && JSON.stringify(body) === '{}') return;
        if (isMeant(body)) return;
        expectProblem(await backend.call(route.method, address(route.path), { as, raw: JSON.stringify(body) }), name);
      }),
      { numRuns: 20 },
    );
  },
  60_000,
);

test('bytes that are no JSON, too many of them, or of another type are refused as such', async () => {
  const raw: readonly [string | Uint8Array, Record<string, string>, number][] = [
    ['{', {}, 400],
    ['{"reason": "a"} {"reason": "b"}', {}, 400],
    [new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), {}, 400],
    ['[['.repeat(20_000), {}, 400],
    [`{"reason": "${'x'.repeat(70_000)}"}`, {}, 413],
    ['{"reason": "a"}', { 'content-type': 'text/plain' }, 415],
    ['reason=a', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['{"reason": "a"}', { 'content-type': 'application/jsonish' }, 415],
  ];
  for (const route of writing) {
    const as = route.needs === 'consumer' ? 'consumer' : 'emergency';
    for (const [body, headers, status] of raw) {
      const called = await backend.call(route.method, address(route.path), { as, raw: body, headers });
      expect([called.status, route.path]).toEqual([status, route.path]);
      problemCode(called);
    }
  }
});

/** As .NET's PostAsJsonAsync sends it: in chunks, with no length. */
const inChunks = (text: string) =>
  new ReadableStream<Uint8Array>({
    start: (controller) => {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length; at += 1_000) controller.enqueue(bytes.subarray(at, at + 1_000));
      controller.close();
    },
  });

test('a body in chunks is read like any other, and refused where it is too large', async () => {
  const rotate = address('/vaults/{vault}/secrets/{secret}/rotate');
  const wrong = await backend.call('POST', rotate, { raw: inChunks('{"reason":"a leak","forse":true}') });
  expect(wrong.body).toMatchObject({ status: 400, errors: [{ field: 'forse' }] });
  const large = await backend.call('POST', rotate, { raw: inChunks(`{"reason":"${'x'.repeat(70_000)}"}`) });
  expect([large.status, problemCode(large)]).toEqual([413, 'body-too-large']);
});

test('a body that breaks off in the middle is an invalid request, not a mistake', async () => {
  const { port } = new URL(backend.stage.azure.host.url);
  const known = () => backend.stage.lines({ event: 'access-allowed' }).filter(({ route }) => route === '/rotations');
  const before = known().length;
  const socket = connect(Number(port), '127.0.0.1');
  const head = ['POST /api/v1/rotations HTTP/1.1', 'host: localhost', 'content-type: application/json'];
  const rest = [`x-keyturn-key: ${keyOf('emergency')}`, 'content-length: 100', '', '{"reason":'];
  socket.write([...head, ...rest].join('\r\n'));
  // The function has begun before the body is there.
  await backend.stage.until('the request is known', () => known().length > before);
  socket.destroy();
  const ended = ({ message }: { message: string }) => message.startsWith("Executed 'Functions.api'");
  const begun = ({ message }: { message: string }) => message.startsWith("Executing 'Functions.api'");
  const logs = backend.stage.azure.host.logs;
  await backend.stage.until('the function ends', () => logs().filter(ended).length === logs().filter(begun).length);
  expect(logs().filter((record) => ended(record) && record.level === 'error')).toEqual([]);
});

test('HEAD is answered like GET without its body, and OPTIONS with the methods of the route', async () => {
  for (const route of reading) {
    const [path, as] = [address(route.path), 'emergency' as const];
    const [get, head] = [await backend.call('GET', path, { as }), await backend.call('HEAD', path, { as })];
    expect([head.status, head.text, route.path]).toEqual([get.status, '', route.path]);
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
    const refused = await backend.call('HEAD', path, { as: null });
    expect([refused.status, route.path]).toEqual([route.needs === 'anybody' ? 200 : 401, route.path]);
  }
  const paths = new Set(routes.map(({ path }) => path));
  for (const path of paths) {
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method);
    const options = await backend.call('OPTIONS', address(path), { as: null });
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
    expect([options.status, options.headers.get('allow'), options.text]).toEqual([204, allow.join(', '), '']);
  }
  expect((await backend.call('OPTIONS', '/nothing', { as: null })).status).toBe(401);
  const other = await backend.call('DELETE', '/freeze');
  expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, PUT, HEAD, OPTIONS']);
});

test('a body without a field says which, why it is wanted and what is allowed', async () => {
  const called = await backend.call('POST', address('/vaults/{vault}/secrets/{secret}/rotate'), {
    body: { forse: true },
  });
  expect(called.body).toMatchObject({
    status: 400,
    code: 'request-invalid',
    page: 'docs/api.md#request-invalid',
    errors: [
      { in: 'body', field: 'reason', detail: 'takes the reason for the request, 1 to 512 characters' },
      { in: 'body', field: 'forse', detail: 'is not known here; allowed: reason, force, version, breakGlass' },
    ],
  });
});

test('what was sent is not repeated: it may be a password in the wrong field', async () => {
  const secret = 'Canary-in-the-wrong-field-1';
  const bodies = [
    { reason: 'r', force: secret },
    { reason: 'r', version: secret },
    { selector: { state: secret }, confirm: secret, reason: 'r' },
  ];
  for (const route of writing) {
    for (const body of bodies) {
      const called = await backend.call(route.method, address(route.path), { body });
      expect(called.text).not.toContain(secret);
    }
  }
  for (const path of [`/vaults/${secret}x_x/secrets/sound`, `/secrets?state=${secret}`, `/rotations/${secret}`]) {
    expect((await backend.call('GET', path)).text).not.toContain(secret);
  }
});

test('no address and no query of any route leads to a 500', async () => {
  const part = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom('..', '%00', '%ff', '%2e%2e%2f', 'local', "'", '{{7*7}}', '\u{1f511}'),
  );
  const safely = (text: string) => (/%[0-9a-f]{2}/i.test(text) ? text : encodeURIComponent(text));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...reading.map((route) => route.path)),
      fc.array(part, { maxLength: 4 }),
      fc.array(part, { maxLength: 4 }),
      async (template, parts, query) => {
        let at = 0;
        const path = template.replaceAll(/\{\w+\}/g, () => safely(parts[at++] ?? 'x') || 'x');
        const asked = query
          .map((text, index) => `${['vault', 'state', 'tag', 'page', 'limit', 'mode'][index]}=${safely(text)}`)
          .join('&');
        const called = await backend.call('GET', `${path}?${asked}`);
        expect(called.status, `${path}?${asked}: ${called.text}`).toBeLessThan(500);
        // An address that cannot be decoded is refused by the host before the app sees it.
        if (called.body !== undefined) expect(called.headers.get('cache-control')).toBe('no-store');
      },
    ),
    { numRuns: 100 },
  );
}, 60_000);

test('after all of it the secret is as it was, and nothing was asked for', async () => {
  await backend.stage.expectUntouched(planted);
  const history = await backend.call('GET', '/vaults/local/secrets/sound/history');
  expect(history.body).toEqual({ attempts: [] });
  expect(backend.stage.lines({ event: 'bug' })).toEqual([]);
  // A rotation that is asked for rightly, so that there is something to search through.
  await backend.stage.plant('sound-too', { days: 80 });
  const asked = await backend.call('POST', '/vaults/local/secrets/sound-too/rotate?wait=true', {
    body: { reason: 'a test' },
  });
  expect(asked.status).toBe(200);
  backend.stage.expectNoSecretAnywhere();
});
