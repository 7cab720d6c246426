/** An app with the HTTP API over everything it needs, callers of every kind, and a login service that signs their tokens. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import { exportJWK, SignJWT } from 'jose';
import * as z from 'zod';
import { apiKeySetting } from '../../local/api-keys.ts';
import { problemBody } from '../../shared/api/problem.ts';
import { type Role, roles } from '../../shared/contract/access.ts';
import { type Stage, startStage } from '../paths/stage.ts';

export const tenant = '11111111-2222-3333-4444-555555555555';
export const audience = 'api://keyturn';

/** Long enough, and found nowhere but in the header it is sent in. */
export const keyOf = (name: string) => `key-of-${name}-`.padEnd(48, 'k');

export const callers = [
  ...roles.map((role) => ({ name: role as string, role, key: keyOf(role) })),
  ...['orders-app', 'billing-app'].map((name) => ({ name, role: 'consumer' as const, key: keyOf(name) })),
];

export type CallerName = Role | 'orders-app' | 'billing-app';

export interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

export interface CallOptions {
  /** Whose key is sent; null: none. Absent: of the role emergency, which may do everything but acknowledge. */
  readonly as?: CallerName | null;
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function callApi(url: string, method: string, path: string, options: CallOptions = {}): Promise<Called> {
  const { as = 'emergency', body, raw } = options;
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      ...(['GET', 'HEAD', 'OPTIONS'].includes(method) ? {} : { 'content-type': 'application/json' }),
      ...(as === null ? {} : { 'x-keyturn-key': keyOf(as) }),
      ...options.headers,
    },
    ...(sent === undefined ? {} : { body: sent, duplex: 'half' as const }),
    redirect: 'manual',
  });
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
}

/** A text field of the body. */
export function textOf(called: Called, name: string): string {
  return z
    .looseObject({ [name]: z.string() })
    .transform((body) => z.string().parse(body[name]))
    .parse(called.body);
}

/** The code of a problem, after a look that it is one. */
export function problemCode(called: Called): string {
  if (called.headers.get('content-type') !== 'application/problem+json') throw new Error(`no problem: ${called.text}`);
  return problemBody.parse(called.body).code;
}

/** A login service: its keys, and tokens signed with one of them. */
export interface LoginService {
  readonly url: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** A token that is accepted, but for what `claims` changes; undefined leaves a claim out. */
  token(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, string>>,
    key?: KeyObject,
  ): Promise<string>;
  close(): Promise<void>;
}

export const oneHour = 3600;
export const nowSeconds = () => Math.floor(Date.now() / 1000);

export async function startLoginService(): Promise<LoginService> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', use: 'sig' };
  const server = createServer((request, response) => {
    const known = request.url === `/${tenant}/discovery/v2.0/keys`;
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    response.end(known ? JSON.stringify({ keys: [jwk] }) : '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    privateKey,
    publicKey,
    token: (claims = {}, header = {}, key = privateKey) => {
      const all = {
        iss: `${url}/${tenant}/v2.0`,
        aud: audience,
        iat: nowSeconds() - 60,
        nbf: nowSeconds() - 60,
        exp: nowSeconds() + oneHour,
        tid: tenant,
        oid: 'aaaaaaaa-0000-0000-0000-000000000001',
        preferred_username: 'jane@contoso.example',
        scp: 'access',
        roles: ['Keyturn.Emergency'],
        ...claims,
      };
      return new SignJWT(JSON.parse(JSON.stringify(all)))
        .setProtectedHeader({ alg: 'RS256', kid: 'one', ...header })
        .sign(key);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface Backend {
  readonly stage: Stage;
  readonly login: LoginService;
  call(method: string, path: string, options?: CallOptions): Promise<Called>;
  close(): Promise<void>;
}

export async function startBackend(
  settings: Readonly<Record<string, string>> = {},
  more: Parameters<typeof startStage>[0] = {},
): Promise<Backend> {
  const login = await startLoginService();
  try {
    const stage = await startStage({
      ...more,
      settings: {
        KEYTURN_API_KEYS: apiKeySetting(callers),
        KEYTURN_LOGIN_URL: login.url,
        KEYTURN_TENANT_ID: tenant,
        KEYTURN_API_AUDIENCE: audience,
        ...settings,
      },
    });
    return {
      stage,
      login,
      call: (method, path, options) => callApi(stage.azure.host.url, method, path, options),
      close: async () => {
        await stage.close();
        await login.close();
      },
    };
  } catch (error) {
    await login.close();
    throw error;
  }
}
