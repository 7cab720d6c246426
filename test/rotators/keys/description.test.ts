import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { at, extract, untrue } from '../../../rotators/http-keys/answer.ts';
import { loadCatalog, readDescription } from '../../../rotators/http-keys/catalog.ts';
import type { RequestDescription } from '../../../rotators/http-keys/description.ts';
import { builtIn } from '../../../rotators/http-keys/descriptions/index.ts';
import { buildRequest } from '../../../rotators/http-keys/request.ts';
import type { Variable } from '../../../rotators/http-keys/template.ts';

const hostile = 'a"b\\c&d=e/../f?g#h{{admin.password}}\r\nX-Evil: 1 %2e';

function requestOf(changes: Partial<RequestDescription>): RequestDescription {
  return {
    method: 'POST',
    url: 'https://api.test/keys',
    headers: {},
    query: {},
    as: 'admin',
    success: { status: [200], body: [] },
    extract: {},
    ...changes,
  };
}

function build(changes: Partial<RequestDescription>, value: Variable = hostile) {
  const variables = new Map<string, Variable>([['label', value]]);
  return buildRequest(requestOf(changes), { kind: 'none' }, variables);
}

function built(changes: Partial<RequestDescription>, value: Variable = hostile) {
  const outcome = build(changes, value);
  if (outcome.kind !== 'built') throw new Error(outcome.detail);
  return outcome.call;
}

describe('a pattern', () => {
  const description = builtIn.find((one) => JSON.stringify(one).includes('"owner"'));

  it.each(['[0-9]{24}(', '[', 'a)(b', '*'])(
    'that is no regular expression is refused with its place: %s',
    (pattern) => {
      const resource = [{ name: 'owner', pattern }];
      expect(readDescription(Object.assign({}, description, { resource }))).toEqual({
        kind: 'wrong',
        problems: ['/resource/0/pattern: write a regular expression'],
      });
    },
  );
});

describe('a hostile value', () => {
  it('stays one segment of a path', () => {
    const { url } = built({ url: 'https://api.test/keys/{{label}}/end' });
    expect(url.host).toBe('api.test');
    expect(url.pathname.split('/')).toHaveLength(4);
    expect(decodeURIComponent(url.pathname.split('/')[2] ?? '')).toBe(hostile);
    expect(url.search + url.hash).toBe('');
  });

  it.each(['', '.', '..'])('that would climb a path is refused: %j', (value) => {
    expect(build({ url: 'https://api.test/keys/{{label}}' }, value)).toMatchObject({ kind: 'unfit' });
  });

  it('cannot change the host', () => {
    for (const value of ['evil.test/', 'evil.test#', 'x@evil.test']) {
      const outcome = build({ url: 'https://api.{{label}}.test/keys' }, value);
      expect(outcome.kind === 'unfit' || outcome.call.url.host.endsWith('.test')).toBe(true);
      if (outcome.kind === 'built') expect(outcome.call.url.username + outcome.call.url.pathname).toBe('/keys');
    }
  });

  it('stays one value of a query', () => {
    const { url } = built({ query: { name: '{{label}}', other: 'x' } });
    expect([...url.searchParams]).toEqual([
      ['name', hostile],
      ['other', 'x'],
    ]);
  });

  it('stays one text of a JSON body, and is not read as a template', () => {
    const { body } = built({ body: { kind: 'json', value: { a: { name: 'x {{label}}' } } } });
    expect(JSON.parse(body ?? '')).toEqual({ a: { name: `x ${hostile}` } });
  });

  it('stays one field of a form', () => {
    const { body } = built({ body: { kind: 'form', fields: { name: '{{label}}', other: 'x' } } });
    expect([...new URLSearchParams(body)]).toEqual([
      ['name', hostile],
      ['other', 'x'],
    ]);
  });

  it('stays one part of a multipart body', async () => {
    const { body, headers } = built({ body: { kind: 'multipart', fields: { name: '{{label}}', other: 'x' } } });
    const form = await new Response(body ?? null, {
      headers: { 'content-type': headers['content-type'] ?? '' },
    }).formData();
    expect([...form.keys()]).toEqual(['name', 'other']);
    expect(form.get('name')).toBe(hostile);
  });

  it('is refused in a header, in a raw body and in a login of Basic authentication', () => {
    expect(build({ headers: { 'X-Name': '{{label}}' } })).toMatchObject({ kind: 'unfit' });
    expect(build({ body: { kind: 'raw', text: '<name>{{label}}</name>', contentType: 'text/xml' } })).toMatchObject({
      kind: 'unfit',
    });
    const basic = { kind: 'basic', username: '{{label}}', password: 'p' } as const;
    const outcome = buildRequest(requestOf({}), basic, new Map([['label', 'a:b']]));
    expect(outcome).toMatchObject({ kind: 'unfit' });
  });

  it('that is missing stops the request', () => {
    const outcome = buildRequest(requestOf({ query: { a: '{{other}}' } }), { kind: 'none' }, new Map());
    expect(outcome).toEqual({ kind: 'unfit', detail: 'other has no value' });
  });
});

it('data keep their form where they stand alone in JSON', () => {
  const { body } = built({ body: { kind: 'json', value: { scopes: '{{label}}' } } }, { data: ['a', { b: 1 }] });
  expect(JSON.parse(body ?? '')).toEqual({ scopes: ['a', { b: 1 }] });
});

describe('answers', () => {
  const answer = (body: unknown, headers: Readonly<Record<string, string>> = {}) => ({
    kind: 'answered' as const,
    status: 200,
    header: (name: string) => headers[name.toLowerCase()],
    body: JSON.stringify(body),
  });

  it('are read by JSON pointer, array item by field, and header', () => {
    const body = {
      'a/b': { '~c': [1, { d: null }] },
      list: [
        { n: 'x', v: 1 },
        { n: 'y', v: 2 },
      ],
    };
    expect(at(body, '/a~1b/~0c/0')).toBe(1);
    expect(at(body, '/a~1b/~0c/1/d')).toBeNull();
    expect(at(body, '/constructor')).toBeUndefined();
    expect(extract(answer(body), { items: '/list', where: { pointer: '/n', equals: 'y' }, pointer: '/v' }, 'y')).toBe(
      2,
    );
    expect(extract(answer(body), { pointer: ['/none', '/list/0/n'] }, '')).toBe('x');
    const location = answer({}, { location: 'https://api.test/keys/17' });
    expect(extract(location, { header: 'Location', pattern: '/keys/(\\d+)$' }, '')).toBe('17');
  });

  it('are judged without being quoted', () => {
    expect(untrue({ errors: [] }, [{ pointer: '/errors', empty: true }])).toBeUndefined();
    expect(untrue({ errors: ['secret'] }, [{ pointer: '/errors', empty: true }])).toBe('/errors is not empty');
    expect(untrue({ valid: 'secret' }, [{ pointer: '/valid', equals: true }])).toBe('/valid is not true');
    expect(untrue({}, [{ pointer: '/id', present: true }])).toBe('/id is missing');
  });
});

describe('descriptions', () => {
  it('that come with Keyturn are all valid', () => {
    for (const value of builtIn) expect(readDescription(value)).toMatchObject({ kind: 'described' });
  });

  const valid = (): Record<string, unknown> =>
    structuredClone(builtIn.find((one) => Object(one).name === 'openai')) as Record<string, unknown>;

  it('with mistakes have all of them named at once, each with its path', () => {
    const outcome = readDescription({
      ...valid(),
      hosts: ['API.test'],
      resource: [{ name: 'a b' }],
      verify: { method: 'FETCH', url: 'x' },
    });
    if (outcome.kind !== 'wrong') throw new Error('it was taken');
    const paths = outcome.problems.map((problem) => problem.split(':')[0]);
    expect(paths).toEqual(expect.arrayContaining(['/hosts/0', '/resource/0/name', '/verify/method', '/verify/url']));
  });

  it.each([
    ['a secret in an address', { url: 'https://api.openai.com/v1/models?key={{credential.password}}' }, 'secret'],
    ['a new key in an address', { url: 'https://api.openai.com/{{created.key}}' }, 'secret'],
    ['an unknown variable', { url: 'https://api.openai.com/{{created.nothing}}' }, 'not known'],
  ])('with %s are refused', (_what, verify, why) => {
    const outcome = readDescription({ ...valid(), verify: { method: 'GET', ...verify } });
    if (outcome.kind !== 'wrong') throw new Error('it was taken');
    expect(outcome.problems.join('\n')).toContain(why);
    expect(outcome.problems.join('\n')).toContain('/verify/url');
  });

  it('of the app’s own folder win over those of Keyturn; broken ones are named and the others stand', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'keyturn-test-'));
    await writeFile(join(folder, 'openai.json'), JSON.stringify({ ...valid(), title: 'our OpenAI' }));
    await writeFile(join(folder, 'broken.json'), '{ "name": ');
    await writeFile(join(folder, 'notes.txt'), 'not a description');
    const catalog = await loadCatalog(folder);
    await rm(folder, { recursive: true });
    expect(catalog.descriptions.get('openai')?.title).toBe('our OpenAI');
    expect(catalog.descriptions.has('sendgrid')).toBe(true);
    expect(catalog.problems.length).toBeGreaterThan(0);
    for (const problem of catalog.problems) expect(problem).toContain('broken.json');
  });

  it('of a folder that is not there are named as missing', async () => {
    const { problems } = await loadCatalog(join(tmpdir(), 'keyturn-no-such-folder'));
    expect(problems).toEqual([expect.stringContaining('ENOENT')]);
  });
});
