/** Who may ask for what: every route, every role, and every credential that must not open anything. */
import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalAzure } from '../../local/azure.ts';
import { describedRoutes } from '../../local/describe-api.ts';
import type { Route } from '../../shared/api/route.ts';
import { findSecrets } from '../canary.ts';
import { builtApp } from '../paths/built-app.ts';
import {
  type Backend,
  type Called,
  callApi,
  callers,
  type LoginService,
  nowSeconds,
  oneHour,
  problemCode,
  startBackend,
  startLoginService,
  tenant,
} from './backend.ts';

const { routes } = await describedRoutes();
const closed = routes.filter((route) => route.needs !== 'anybody');

/** An address of the route where nothing is: whoever is let in finds that out, and changes nothing. */
function addressOf(route: Route): string {
  const example: Record<string, string> = {
    vault: 'nowhere',
    secret: 'nothing',
    version: '0'.repeat(32),
    rotationId: '0'.repeat(32),
    approvalId: '0'.repeat(32),
  };
  return route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => example[name] ?? name);
}

const bodyOf = (route: Route) => (route.method === 'GET' ? {} : { body: {} });

const foreignTenant = '99999999-2222-3333-4444-555555555555';
const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

const principal = (roles: readonly string[], more: Record<string, unknown> = {}, claims: readonly object[] = []) =>
  Buffer.from(
    JSON.stringify({
      auth_typ: 'aad',
      name_typ: 'name',
      role_typ: 'roles',
      claims: [
        {
          typ: 'http://schemas.microsoft.com/identity/claims/objectidentifier',
          val: 'aaaaaaaa-0000-0000-0000-000000000002',
        },
        { typ: 'http://schemas.microsoft.com/identity/claims/tenantid', val: tenant },
        ...roles.map((val) => ({ typ: 'roles', val })),
        ...claims,
      ],
      ...more,
    }),
  ).toString('base64');

/** Credentials that open nothing, each by the one thing that is wrong with it. */
const wrong: Record<string, (login: LoginService) => Promise<Record<string, string>>> = {
  'no credential': async () => ({}),
  'an unknown key': async () => ({ 'x-keyturn-key': 'x'.repeat(48) }),
  'a key with one sign more': async () => ({ 'x-keyturn-key': `${callers[2]?.key}k` }),
  'an empty key': async () => ({ 'x-keyturn-key': '' }),
  'the hash of a key in place of the key': async () => ({ 'x-keyturn-key': 'a'.repeat(64) }),
  'a key as a bearer token': async () => ({ authorization: `Bearer ${callers[2]?.key}` }),
  'basic authentication': async () => ({ authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` }),
  'a token that has expired': async (login) => ({
    authorization: `Bearer ${await login.token({ exp: nowSeconds() - oneHour, nbf: nowSeconds() - 2 * oneHour })}`,
  }),
  'a token that is not valid yet': async (login) => ({
    authorization: `Bearer ${await login.token({ nbf: nowSeconds() + oneHour })}`,
  }),
  'a token without an end': async (login) => ({ authorization: `Bearer ${await login.token({ exp: undefined })}` }),
  'a token of another tenant': async (login) => ({
    authorization: `Bearer ${await login.token({ iss: `${login.url}/${foreignTenant}/v2.0`, tid: foreignTenant })}`,
  }),
  'a token whose tenant is not its issuer': async (login) => ({
    authorization: `Bearer ${await login.token({ tid: foreignTenant })}`,
  }),
  'a token without a tenant': async (login) => ({ authorization: `Bearer ${await login.token({ tid: undefined })}` }),
  'a token for another application': async (login) => ({
    authorization: `Bearer ${await login.token({ aud: 'https://vault.azure.net' })}`,
  }),
  'a token of another issuer': async (login) => ({
    authorization: `Bearer ${await login.token({ iss: 'https://evil.example' })}`,
  }),
  'a token signed by somebody else': async (login) => ({
    authorization: `Bearer ${await login.token({}, {}, otherKey)}`,
  }),
  'a token signed with an unknown key': async (login) => ({
    authorization: `Bearer ${await login.token({}, { kid: 'two' }, otherKey)}`,
  }),
  'a token whose claims were changed after': async (login) => {
    const [header, body = '', signature] = (await login.token({ roles: ['Keyturn.Reader'] })).split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    const changed = Buffer.from(JSON.stringify({ ...claims, roles: ['Keyturn.Emergency'] })).toString('base64url');
    return { authorization: `Bearer ${header}.${changed}.${signature}` };
  },
  'alg: none': async (login) => {
    const [, body] = (await login.token()).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    return { authorization: `Bearer ${header}.${body}.` };
  },
  'HS256 with the public key as its secret': async (login) => {
    const secret = login.publicKey.export({ type: 'spki', format: 'pem' });
    const [, body = ''] = (await login.token()).split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(Buffer.from(secret));
    return { authorization: `Bearer ${token}` };
  },
  'a token that brings its own key': async (login) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [, body = ''] = (await login.token()).split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    const jwk = publicKey.export({ format: 'jwk' });
    return {
      authorization: `Bearer ${await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one', jwk }).sign(privateKey)}`,
    };
  },
  'no token at all': async () => ({ authorization: 'Bearer not-a-token' }),
  'a forged header of the platform': async () => ({ 'x-ms-client-principal': principal(['Keyturn.Emergency']) }),
  'a forged header beside a wrong key': async () => ({
    'x-ms-client-principal': principal(['Keyturn.Emergency']),
    'x-keyturn-key': 'x'.repeat(48),
  }),
};

describe('an app with keys and a tenant', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend();
  });
  afterAll(() => backend?.close());

  const send = (route: Route, headers: Record<string, string>) =>
    backend.call(route.method, addressOf(route), { as: null, headers, ...bodyOf(route) });

  it.each(Object.entries(wrong))('%s opens no route', async (_name, make) => {
    const headers = await make(backend.login);
    const answers = await Promise.all(closed.map((route) => send(route, headers)));
    expect(answers.map((answer) => answer.status)).toEqual(closed.map(() => 401));
    for (const answer of answers) {
      expect(['not-authenticated', 'credential-refused']).toContain(problemCode(answer));
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  it.each(closed.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s is open to its roles and to no other',
    async (_name, route) => {
      const allowed: readonly string[] = {
        reader: ['reader', 'operator', 'emergency'],
        operator: ['operator', 'emergency'],
        emergency: ['emergency'],
        consumer: ['consumer'],
        anybody: [],
      }[route.needs];
      for (const as of ['reader', 'operator', 'emergency', 'consumer'] as const) {
        const answer = await backend.call(route.method, addressOf(route), { as, ...bodyOf(route) });
        if (allowed.includes(as)) expect([401, 403], `${as}: ${answer.text}`).not.toContain(answer.status);
        else expect([answer.status, problemCode(answer)], as).toEqual([403, 'role-missing']);
      }
    },
  );

  it('roles of a token decide in the same way, in both versions of tokens', async () => {
    const status = async (claims: Record<string, unknown>, method = 'PUT', path = '/freeze') => {
      const headers = { authorization: `Bearer ${await backend.login.token(claims)}` };
      return (await backend.call(method, path, { as: null, headers, ...(method === 'GET' ? {} : { body: {} }) }))
        .status;
    };
    expect(await status({ roles: ['Keyturn.Operator'] })).toBe(400);
    expect(await status({ roles: ['Keyturn.Reader'] })).toBe(403);
    expect(await status({ roles: [] })).toBe(403);
    expect(await status({ roles: undefined })).toBe(403);
    expect(await status({ roles: ['operator', 'Admin', 'Keyturn.Owner'] })).toBe(403);
    expect(await status({ roles: ['Keyturn.Reader'] }, 'GET')).toBe(200);
    expect(
      await status({ roles: ['Keyturn.Reader'], iss: `https://sts.windows.net/${tenant}/`, appid: 'x' }, 'GET'),
    ).toBe(200);
    expect(await status({ roles: ['Keyturn.Consumer'] }, 'GET')).toBe(403);
  });

  it('liveness is open to everybody, and says nothing more', async () => {
    const answer = await backend.call('GET', '/health', { as: null });
    expect([answer.status, answer.text]).toEqual([200, '{"status":"alive"}']);
  });

  it('a key in the address is taken where alerts come in, and nowhere else', async () => {
    const key = encodeURIComponent(callers.find(({ role }) => role === 'operator')?.key ?? '');
    expect((await backend.call('POST', `/alerts?code=${key}`, { as: null, body: {} })).status).toBe(400);
    for (const route of closed.filter(({ path }) => path !== '/alerts')) {
      const answer = await backend.call(route.method, `${addressOf(route)}?code=${key}`, {
        as: null,
        ...bodyOf(route),
      });
      expect(answer.status, route.path).toBe(401);
    }
  });

  it('an unknown address is told to nobody who is unknown', async () => {
    expect((await backend.call('GET', '/nothing-here', { as: null })).status).toBe(401);
    expect(problemCode(await backend.call('GET', '/nothing-here', { as: 'reader' }))).toBe('route-unknown');
    const other = await backend.call('PATCH', '/freeze', { as: 'reader', body: {} });
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, PUT, HEAD, OPTIONS']);
  });

  it('every decision is a line of the log with who asked, how, the route and the role', async () => {
    await backend.call('GET', '/freeze', { as: 'reader' });
    await backend.call('PUT', '/freeze', { as: 'reader', body: {} });
    const who = { who: 'key:reader', how: 'key', route: '/freeze' };
    expect(backend.stage.lines({ event: 'access-allowed' })).toContainEqual(
      expect.objectContaining({ ...who, method: 'GET', needs: 'reader' }),
    );
    expect(backend.stage.lines({ event: 'access-denied' })).toContainEqual(
      expect.objectContaining({ ...who, method: 'PUT', needs: 'operator' }),
    );
    const headers = { authorization: `Bearer ${await backend.login.token()}` };
    await backend.call('GET', '/freeze', { as: null, headers });
    expect(backend.stage.lines({ event: 'access-allowed' })).toContainEqual(
      expect.objectContaining({ who: 'jane@contoso.example (aaaaaaaa-0000-0000-0000-000000000001)', how: 'token' }),
    );
    expect(backend.stage.lines({ event: 'access-denied' }).some((line) => line['forged'] === true)).toBe(true);
  });

  it('no key and no token is in any log or row', () => {
    const everywhere = { logs: backend.stage.azure.host.logs(), storage: backend.stage.storage.sent() };
    expect(
      findSecrets(
        everywhere,
        callers.map(({ key }) => key),
      ),
    ).toEqual([]);
    expect(JSON.stringify(everywhere.logs)).not.toContain('eyJhbGciOi');
  });
});

describe('an app whose platform vouches for callers', () => {
  let login: LoginService;
  let azure: Awaited<ReturnType<typeof startLocalAzure>>;
  beforeAll(async () => {
    login = await startLoginService();
    const settings = {
      ...{ KEYTURN_API_KEYS: '', KEYTURN_TENANT_ID: tenant, KEYTURN_API_AUDIENCE: 'api://keyturn' },
      ...{ KEYTURN_LOGIN_URL: login.url, WEBSITE_AUTH_ENABLED: 'True' },
    };
    azure = await startLocalAzure({ app: await builtApp(), postgres: false, settings });
  });
  afterAll(async () => {
    await azure?.close();
    await login?.close();
  });

  const send = (header: string, method = 'GET', more: Record<string, string> = {}): Promise<Called> =>
    callApi(azure.host.url, method, '/freeze', {
      as: null,
      headers: { 'x-ms-client-principal': header, ...more },
      ...(method === 'GET' ? {} : { body: {} }),
    });

  it('takes the roles the platform names', async () => {
    expect((await send(principal(['Keyturn.Reader']))).status).toBe(200);
    expect((await send(principal(['Keyturn.Reader']), 'PUT')).status).toBe(403);
    expect((await send(principal(['Keyturn.Operator']), 'PUT')).status).toBe(400);
    const byLongName = [
      { typ: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role', val: 'Keyturn.Operator' },
    ];
    expect((await send(principal([], {}, byLongName), 'PUT')).status).toBe(400);
    expect((await send(principal([]))).status).toBe(403);
  });

  it('refuses a caller of another tenant or provider, and what cannot be read', async () => {
    const foreign = Buffer.from(principal(['Keyturn.Reader']), 'base64')
      .toString('utf8')
      .replaceAll(tenant, foreignTenant);
    const refused = [
      Buffer.from(foreign).toString('base64'),
      principal(['Keyturn.Reader'], { auth_typ: 'google' }),
      principal(['Keyturn.Reader'], { claims: 'none' }),
      principal(['Keyturn.Reader'], {
        claims: [
          { typ: 'tid', val: tenant },
          { typ: 'roles', val: 'Keyturn.Reader' },
        ],
      }),
      'not base64 of anything',
    ];
    for (const header of refused) expect(problemCode(await send(header))).toBe('credential-refused');
    // A right token beside it does not save it.
    const authorization = `Bearer ${await login.token()}`;
    expect((await send(refused[0] ?? '', 'GET', { authorization })).status).toBe(401);
    expect((await send(principal(['Keyturn.Consumer']), 'GET', { authorization })).status).toBe(403);
  });
});

describe('an app that knows nobody', () => {
  let azure: Awaited<ReturnType<typeof startLocalAzure>>;
  beforeAll(async () => {
    // Anything but the platform's own word is no promise of it.
    const settings = { KEYTURN_API_KEYS: '', WEBSITE_AUTH_ENABLED: 'true' };
    azure = await startLocalAzure({ app: await builtApp(), postgres: false, settings });
  });
  afterAll(() => azure?.close());

  it('refuses every route but liveness, says what to set, and said so when it started', async () => {
    for (const route of routes) {
      const headers = { 'x-ms-client-principal': principal(['Keyturn.Emergency']), authorization: 'Bearer x.y.z' };
      const answer = await callApi(azure.host.url, route.method, addressOf(route), {
        as: null,
        headers,
        ...bodyOf(route),
      });
      if (route.needs === 'anybody') expect(answer.status).toBe(200);
      else expect([answer.status, problemCode(answer)]).toEqual([401, 'access-not-configured']);
    }
    const line = azure.host.logs().find(({ message }) => message.includes('access-not-configured'));
    expect(line?.message).toContain('KEYTURN_API_KEYS');
  });
});
