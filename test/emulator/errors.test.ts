import { describe, expect, test } from 'vitest';
import { raw, vaultFor } from './helpers.ts';

const error = (code: string, message: unknown, innerCode?: string) => ({
  error: { code, message, ...(innerCode === undefined ? {} : { innererror: { code: innerCode } }) },
});

const notFound = (id: string) =>
  `A secret with (name/id) ${id} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`;
const unknownVersion = '0123456789abcdef0123456789abcdef';
const text = (length: number) => 'x'.repeat(length);
const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`tag-${n}`, 'v']));

interface Case {
  readonly claim: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly text?: string;
  readonly status: number;
  readonly error: unknown;
}

// The vault holds `live`, `disabled` (its newest version disabled) and the deleted `gone`.
const cases: readonly Case[] = [
  {
    claim: 'reading an unknown name',
    method: 'GET',
    path: '/secrets/nobody/',
    status: 404,
    error: error('SecretNotFound', notFound('nobody')),
  },
  {
    claim: 'reading an unknown version names both',
    method: 'GET',
    path: `/secrets/live/${unknownVersion}`,
    status: 404,
    error: error('SecretNotFound', notFound(`live/${unknownVersion}`)),
  },
  {
    claim: 'a version that is no version id is taken for an operation',
    method: 'GET',
    path: '/secrets/live/latest',
    status: 400,
    error: error('BadParameter', "Method GET does not allow operation 'latest'"),
  },
  {
    claim: 'reading a disabled newest version',
    method: 'GET',
    path: '/secrets/disabled',
    status: 403,
    error: error('Forbidden', 'Operation get is not allowed on a disabled secret.', 'SecretDisabled'),
  },
  {
    claim: 'reading a deleted name',
    method: 'GET',
    path: '/secrets/gone',
    status: 404,
    error: error('SecretNotFound', notFound('gone')),
  },
  {
    claim: 'writing a deleted name',
    method: 'PUT',
    path: '/secrets/gone',
    body: { value: 'x' },
    status: 409,
    error: error(
      'Conflict',
      'Secret gone is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.',
      'ObjectIsDeletedButRecoverable',
    ),
  },
  {
    claim: 'deleting a deleted name',
    method: 'DELETE',
    path: '/secrets/gone',
    status: 404,
    error: error('SecretNotFound', notFound('gone')),
  },
  {
    claim: 'a deleted secret that is not there',
    method: 'GET',
    path: '/deletedsecrets/live',
    status: 404,
    error: error('SecretNotFound', 'Deleted Secret not found: live'),
  },
  {
    claim: 'recovering what is not deleted',
    method: 'POST',
    path: '/deletedsecrets/live/recover',
    status: 404,
    error: error('SecretNotFound', notFound('live')),
  },
  {
    claim: 'an underscore in a name',
    method: 'PUT',
    path: '/secrets/my_secret',
    body: { value: 'x' },
    status: 400,
    error: error('BadParameter', 'The request URI contains an invalid name: my_secret'),
  },
  {
    claim: 'a name of 128 characters',
    method: 'GET',
    path: `/secrets/${text(128)}`,
    status: 400,
    error: error('BadParameter', `The request URI contains an invalid name: ${text(128)}`),
  },
  {
    claim: 'no api-version',
    method: 'GET',
    path: '/secrets/live?api-version=',
    status: 400,
    error: error('BadParameter', 'api-version must be specified'),
  },
  {
    claim: 'an unknown api-version',
    method: 'GET',
    path: '/secrets/live?api-version=1999-01-01',
    status: 400,
    error: error('BadParameter', expect.stringContaining('(1999-01-01) is not recognized')),
  },
  {
    claim: 'a body that is not JSON is not quoted back',
    method: 'PUT',
    path: '/secrets/live',
    text: '{"value": canary}',
    status: 400,
    error: error('BadParameter', expect.not.stringContaining('canary')),
  },
  {
    claim: 'a write without a body',
    method: 'PUT',
    path: '/secrets/live',
    status: 400,
    error: error('BadParameter', expect.any(String)),
  },
  {
    claim: 'a write without a value',
    method: 'PUT',
    path: '/secrets/live',
    body: { tags: {} },
    status: 400,
    error: error('BadParameter', 'Property value has invalid value\r\n'),
  },
  {
    claim: 'a value of 25 KB and one byte, counted in bytes',
    method: 'PUT',
    path: '/secrets/live',
    body: { value: `${text(25 * 1024 - 1)}é` },
    status: 400,
    error: error('BadParameter', expect.stringContaining('25600')),
  },
  {
    claim: '16 tags',
    method: 'PUT',
    path: '/secrets/live',
    body: { value: 'x', tags: tags(16) },
    status: 400,
    error: error('BadParameter', 'Property  has invalid value\r\n'),
  },
  {
    claim: 'a tag of 257 characters',
    method: 'PATCH',
    path: '/secrets/live',
    body: { tags: { long: text(257) } },
    status: 400,
    error: error('BadParameter', 'Property tags.long has invalid value\r\n'),
  },
  {
    claim: 'a content type of 256 characters',
    method: 'PATCH',
    path: '/secrets/live',
    body: { contentType: text(256) },
    status: 400,
    error: error('BadParameter', 'Property contentType has invalid value\r\n'),
  },
  {
    claim: 'an expiry that is no whole number',
    method: 'PUT',
    path: '/secrets/live',
    body: { value: 'x', attributes: { exp: 'soon' } },
    status: 400,
    error: error('BadParameter', 'Property attributes.exp has invalid value\r\n'),
  },
  {
    claim: 'pages of more than 25',
    method: 'GET',
    path: '/secrets?api-version=7.5&maxresults=26',
    status: 400,
    error: error('BadParameter', expect.stringContaining('maxresults')),
  },
  {
    claim: 'a token of somebody else',
    method: 'GET',
    path: '/secrets?api-version=7.5&$skiptoken=nonsense',
    status: 400,
    error: error('BadParameter', expect.stringContaining('$skiptoken')),
  },
  {
    claim: 'a damaged backup',
    method: 'POST',
    path: '/secrets/restore',
    body: { value: Buffer.from('nothing').toString('base64url') },
    status: 400,
    error: error('Malformed backup blob', 'Backup blob contains invalid or corrupt version.'),
  },
  {
    claim: 'a method that is not there',
    method: 'POST',
    path: '/secrets/live',
    status: 405,
    error: error('MethodNotAllowed', 'HTTP POST not allowed'),
  },
  {
    claim: 'a write without a name',
    method: 'PUT',
    path: '/secrets/',
    body: { value: 'x' },
    status: 405,
    error: error('MethodNotAllowed', 'HTTP PUT not allowed'),
  },
  {
    claim: 'a backup of an unknown name',
    method: 'POST',
    path: '/secrets/nobody/backup',
    status: 404,
    error: error('SecretNotFound', notFound('nobody')),
  },
  {
    claim: 'purging what is not deleted',
    method: 'DELETE',
    path: '/deletedsecrets/live',
    status: 404,
    error: error('SecretNotFound', 'Deleted Secret not found: live'),
  },
  { claim: 'another collection', method: 'GET', path: '/keys/live', status: 404, error: expect.anything() },
];

async function sampleVault() {
  const vault = await vaultFor();
  vault.put('live', { value: 'canary' });
  vault.put('disabled', { value: 'canary' });
  vault.put('disabled', { value: 'canary', enabled: false });
  vault.put('gone', { value: 'canary' });
  await raw(vault, 'DELETE', '/secrets/gone');
  return vault;
}

describe('error answers', () => {
  test.for(cases)('$claim', async ({ method, path, status, error: expected, ...sent }) => {
    const vault = await sampleVault();
    const before = vault.versions('live');
    const answer = await raw(vault, method, path, sent);
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual(expected);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(vault.versions('live')).toEqual(before);
    expect(JSON.stringify(answer.body)).not.toContain('canary');
  });

  test('the challenge comes before any judgement of the request', async () => {
    const vault = await vaultFor();
    for (const [method, path] of [
      ['PUT', '/secrets/my_secret?api-version='],
      ['GET', '/nowhere'],
      ['DELETE', '/secrets/unknown'],
    ] as const) {
      const answer = await raw(vault, method, path, { headers: { Authorization: '' } });
      expect(answer.status).toBe(401);
      expect(answer.body).toEqual(error('Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.'));
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer authorization="https://login.windows.net/00000000-0000-0000-0000-000000000000", resource="https://vault.azure.net"',
      );
    }
    expect(vault.calls).toMatchObject({ total: 0, challenges: 3 });
  });

  test('where tokens are named, no other is accepted', async () => {
    const vault = await vaultFor({ tokens: ['good'] });
    vault.put('live', { value: 'x' });
    const call = (token: string) =>
      raw(vault, 'GET', '/secrets/live', { headers: { Authorization: `Bearer ${token}` } });
    expect((await call('bad')).status).toBe(401);
    expect((await call('good')).status).toBe(200);
  });

  test('purge protection refuses a purge and keeps the secret', async () => {
    const vault = await vaultFor({ purgeProtection: true });
    vault.put('live', { value: 'x' });
    await raw(vault, 'DELETE', '/secrets/live');
    const answer = await raw(vault, 'DELETE', '/deletedsecrets/live');
    expect(answer).toMatchObject({
      status: 403,
      body: error('Forbidden', expect.stringContaining('purge protection')),
    });
    expect((await raw(vault, 'POST', '/deletedsecrets/live/recover')).status).toBe(200);
  });

  test('the limits themselves are allowed: 25 KB, 15 tags, 256 and 255 characters, a name of 127', async () => {
    const vault = await vaultFor();
    const answer = await raw(vault, 'PUT', `/secrets/${text(127)}`, {
      body: {
        value: text(25 * 1024),
        contentType: text(255),
        tags: { ...tags(14), [text(256)]: text(256) },
      },
    });
    expect(answer.status).toBe(200);
  });
});

describe('answers', () => {
  test('a version has exactly the fields of the service', async () => {
    const vault = await vaultFor();
    vault.clock.set(new Date('2030-01-31T00:00:00.900Z'));
    const created = Date.UTC(2030, 0, 31) / 1000;
    const set = await raw(vault, 'PUT', '/secrets/live', {
      body: { value: 'v', tags: { a: 'b' }, contentType: 't', attributes: { enabled: true, nbf: 1, exp: 2 } },
      headers: { 'x-ms-client-request-id': 'mine' },
    });
    const id = vault.versions('live')[0]?.id;
    const attributes = {
      enabled: true,
      nbf: 1,
      exp: 2,
      created: expect.any(Number),
      updated: expect.any(Number),
      recoveryLevel: 'Recoverable+Purgeable',
      recoverableDays: 90,
    };
    const properties = { contentType: 't', tags: { a: 'b' }, attributes };
    const version = { id: `${vault.url}/secrets/live/${id}`, ...properties };
    expect(set.body).toStrictEqual({ value: 'v', ...version });
    expect(vault.versions('live')[0]?.createdSeconds).toBeGreaterThanOrEqual(created);
    expect(vault.versions('live')[0]?.createdSeconds).toBeLessThan(created + 60);
    expect(new Date(set.headers.get('date') ?? '').getUTCFullYear()).toBe(2030);
    expect(set.headers.get('x-ms-client-request-id')).toBe('mine');

    // Outside of its validity a secret is read as ever: nbf and exp only inform.
    expect((await raw(vault, 'GET', '/secrets/live/')).body).toStrictEqual({ value: 'v', ...version });
    expect((await raw(vault, 'PATCH', `/secrets/live/${id}`, { body: {} })).body).toStrictEqual(version);
    expect((await raw(vault, 'GET', '/secrets')).body).toStrictEqual({
      value: [{ id: `${vault.url}/secrets/live`, ...properties }],
      nextLink: null,
    });
    const deletion = {
      recoveryId: `${vault.url}/deletedsecrets/live`,
      deletedDate: expect.any(Number),
      scheduledPurgeDate: expect.any(Number),
    };
    expect((await raw(vault, 'DELETE', '/secrets/live')).body).toStrictEqual({ ...deletion, ...version });
    expect((await raw(vault, 'GET', '/deletedsecrets')).body).toStrictEqual({
      value: [{ ...deletion, id: `${vault.url}/secrets/live`, ...properties }],
      nextLink: null,
    });
    expect((await raw(vault, 'POST', '/deletedsecrets/live/recover')).body).toStrictEqual(version);
    await raw(vault, 'DELETE', '/secrets/live');
    expect(await raw(vault, 'DELETE', '/deletedsecrets/live')).toMatchObject({ status: 204, body: undefined });
  });

  test('a next link is followed as it stands, and a listing misses nothing while secrets come and go', async () => {
    const vault = await vaultFor();
    for (let n = 0; n < 60; n++) vault.put(`secret-${n}`, { value: 'x' });
    const seen: string[] = [];
    let link: string | null = `${vault.url}/secrets?api-version=7.5&maxresults=10`;
    while (link !== null) {
      const { body } = await raw(vault, 'GET', link);
      const page = body as { value: { id: string }[]; nextLink: string | null };
      seen.push(...page.value.map(({ id }) => id.split('/').at(-1) ?? ''));
      link = page.nextLink;
      await raw(vault, 'DELETE', `/secrets/${seen.at(-1)}`);
      vault.put(`new-${seen.length}`, { value: 'x' });
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (let n = 0; n < 60; n++) expect(seen).toContain(`secret-${n}`);
  });

  test('the encoded query key of the client and a doubled slash are understood', async () => {
    const vault = await vaultFor();
    expect((await raw(vault, 'GET', `${vault.url}//secrets?api%2Dversion=2026-04-01`)).status).toBe(200);
  });
});
