/** What each provider answers. Every route checks who asks before it looks at anything else, as the providers do. */
import { type Asked, type Reply, readJson } from './server.ts';

interface Key {
  readonly id: string;
  readonly label: string;
  readonly secret: string;
  readonly rights: unknown;
}

/** The state of a provider as far as its routes need it. */
interface State {
  readonly admin: string;
  readonly resource: string | undefined;
  readonly keys: Map<string, Key>;
  make(label: string, rights: unknown): Key;
  find(secret: string): Key | undefined;
}

/** Answers a request of its provider; undefined for every other path. */
type Handler = (asked: Asked) => Reply | undefined;

const unauthorised = (status = 401): Reply => ({ status, body: { errors: [{ message: 'unauthorized' }] } });
const missing: Reply = { status: 404, body: { errors: [{ message: 'not found' }] } };
const badRequest: Reply = { status: 400, body: { errors: [{ message: 'bad request' }] } };

function bearer(asked: Asked): string {
  return (asked.header('authorization') ?? '').replace(/^Bearer /, '');
}

function basic(asked: Asked): string {
  const given = asked.header('authorization') ?? '';
  return given.startsWith('Basic ') ? Buffer.from(given.slice(6), 'base64').toString() : '';
}

function nonEmpty(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function jsonBody(asked: Asked): Readonly<Record<string, unknown>> | undefined {
  return asked.header('content-type')?.startsWith('application/json') === true ? readJson(asked.body) : undefined;
}

function remove(state: State, id: string | undefined, reply: Reply): Reply {
  return id !== undefined && state.keys.delete(decodeURIComponent(id)) ? reply : missing;
}

const sendgrid =
  (state: State): Handler =>
  (asked) => {
    const id = /^\/v3\/api_keys\/([^/]+)$/.exec(asked.path)?.[1];
    if (asked.path === '/v3/scopes')
      return state.find(bearer(asked)) === undefined ? unauthorised() : { status: 200, body: { scopes: [] } };
    if (asked.path !== '/v3/api_keys' && id === undefined) return undefined;
    if (bearer(asked) !== state.admin) return unauthorised();
    if (id !== undefined) {
      if (asked.method === 'DELETE') return remove(state, id, { status: 204 });
      const key = state.keys.get(id);
      return key === undefined
        ? missing
        : { status: 200, body: { api_key_id: key.id, name: key.label, scopes: key.rights } };
    }
    if (asked.method === 'GET') {
      return {
        status: 200,
        body: { result: [...state.keys.values()].map((key) => ({ api_key_id: key.id, name: key.label })) },
      };
    }
    const body = jsonBody(asked);
    // A body without scopes would make a key with full access: here that is a mistake.
    if (!nonEmpty(body?.['name']) || !Array.isArray(body['scopes'])) return badRequest;
    const key = state.make(body['name'], body['scopes']);
    return { status: 201, body: { api_key: key.secret, api_key_id: key.id, name: key.label, scopes: key.rights } };
  };

const twilio =
  (state: State): Handler =>
  (asked) => {
    const account = `/2010-04-01/Accounts/${state.resource}`;
    const id = /^\/v1\/Keys\/([^/]+)$/.exec(asked.path)?.[1];
    if (asked.path === `${account}/Messages.json`) {
      const [sid = '', secret = ''] = basic(asked).split(':');
      return state.find(secret)?.id === sid ? { status: 200, body: { messages: [] } } : unauthorised();
    }
    if (asked.path !== `${account}/Keys.json` && id === undefined) return undefined;
    if (basic(asked) !== state.admin) return unauthorised();
    if (id !== undefined) return asked.method === 'DELETE' ? remove(state, id, { status: 204 }) : missing;
    if (asked.method === 'GET') {
      return {
        status: 200,
        body: { keys: [...state.keys.values()].map((key) => ({ sid: key.id, friendly_name: key.label })) },
      };
    }
    const label = new URLSearchParams(asked.body).get('FriendlyName');
    if (asked.header('content-type') !== 'application/x-www-form-urlencoded' || !nonEmpty(label)) return badRequest;
    const key = state.make(label, undefined);
    return { status: 201, body: { sid: key.id, friendly_name: key.label, secret: key.secret } };
  };

const datadog =
  (state: State): Handler =>
  (asked) => {
    const id = /^\/api\/v2\/api_keys\/([^/]+)$/.exec(asked.path)?.[1];
    if (asked.path === '/api/v1/validate') {
      return state.find(asked.header('dd-api-key') ?? '') === undefined
        ? unauthorised(403)
        : { status: 200, body: { valid: true } };
    }
    if (asked.path !== '/api/v2/api_keys' && id === undefined) return undefined;
    if (`${asked.header('dd-api-key')}:${asked.header('dd-application-key')}` !== state.admin) return unauthorised();
    if (id !== undefined) return asked.method === 'DELETE' ? remove(state, id, { status: 204 }) : missing;
    const shown = (key: Key) => ({ type: 'api_keys', id: key.id, attributes: { name: key.label } });
    if (asked.method === 'GET') {
      const size = Number(asked.url.searchParams.get('page[size]'));
      const from = Number(asked.url.searchParams.get('page[number]')) * size;
      return { status: 200, body: { data: [...state.keys.values()].slice(from, from + size).map(shown) } };
    }
    const data = jsonBody(asked)?.['data'];
    const parsed = readJson(JSON.stringify(data ?? null));
    const name = readJson(JSON.stringify(parsed?.['attributes'] ?? null))?.['name'];
    if (parsed?.['type'] !== 'api_keys' || !nonEmpty(name)) return badRequest;
    const key = state.make(name, undefined);
    return { status: 201, body: { data: { ...shown(key), attributes: { name: key.label, key: key.secret } } } };
  };

const cloudflare =
  (state: State): Handler =>
  (asked) => {
    const path = '/client/v4/user/tokens';
    if (!asked.path.startsWith(path)) return undefined;
    const token = bearer(asked);
    if (asked.path === `${path}/verify`) {
      const key = state.find(token);
      return key === undefined
        ? unauthorised()
        : { status: 200, body: { success: true, result: { id: key.id, status: 'active' } } };
    }
    if (token !== state.admin) return unauthorised(403);
    const id = /\/tokens\/([^/]+)$/.exec(asked.path)?.[1];
    const shown = (key: Key) => ({ id: key.id, name: key.label, status: 'active', policies: key.rights });
    if (id !== undefined) {
      if (asked.method === 'DELETE') return remove(state, id, { status: 200, body: { success: true, result: { id } } });
      const key = state.keys.get(id);
      return key === undefined ? missing : { status: 200, body: { success: true, result: shown(key) } };
    }
    if (asked.method === 'GET') {
      const size = Number(asked.url.searchParams.get('per_page'));
      const from = (Number(asked.url.searchParams.get('page')) - 1) * size;
      return {
        status: 200,
        body: { success: true, result: [...state.keys.values()].slice(from, from + size).map(shown) },
      };
    }
    const body = jsonBody(asked);
    if (!nonEmpty(body?.['name']) || !Array.isArray(body['policies'])) return badRequest;
    const key = state.make(body['name'], body['policies']);
    return { status: 200, body: { success: true, result: { ...shown(key), value: key.secret } } };
  };

const openai =
  (state: State): Handler =>
  (asked) => {
    const path = `/v1/organization/projects/${state.resource}/service_accounts`;
    if (asked.path === '/v1/models')
      return state.find(bearer(asked)) === undefined ? unauthorised() : { status: 200, body: { data: [] } };
    if (!asked.path.startsWith(path)) return undefined;
    if (bearer(asked) !== state.admin) return unauthorised();
    const id = asked.path.slice(path.length + 1);
    if (id !== '')
      return asked.method === 'DELETE' ? remove(state, id, { status: 200, body: { id, deleted: true } }) : missing;
    if (asked.method === 'GET') {
      const all = [...state.keys.values()];
      const after = all.findIndex((key) => key.id === asked.url.searchParams.get('after'));
      const page = all.slice(after + 1, after + 3).map((key) => ({ id: key.id, name: key.label }));
      return { status: 200, body: { data: page, last_id: page.at(-1)?.id ?? null } };
    }
    const name = jsonBody(asked)?.['name'];
    if (!nonEmpty(name)) return badRequest;
    const key = state.make(name, undefined);
    return { status: 200, body: { id: key.id, name, api_key: { value: key.secret, id: `key_${key.id}` } } };
  };

const atlas = (state: State): Handler => {
  const tokens = new Set<string>();
  const [org = '', client = ''] = state.resource?.split('/') ?? [];
  return (asked) => {
    const account = `/api/atlas/v2/orgs/${org}/serviceAccounts/${client}`;
    const path = `${account}/secrets`;
    if (asked.path === '/api/oauth/token') {
      if (new URLSearchParams(asked.body).get('grant_type') !== 'client_credentials') return badRequest;
      const [id = '', secret = ''] = basic(asked).split(':');
      const known = basic(asked) === state.admin || (id === client && state.find(secret) !== undefined);
      if (!known) return { status: 401, body: { error: 'invalid_client' } };
      const token = `token-${tokens.size}-${Buffer.from(id).toString('hex')}`;
      tokens.add(token);
      return { status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: 3600 } };
    }
    if (asked.path !== account && !asked.path.startsWith(path)) return undefined;
    if (!tokens.has(bearer(asked))) return unauthorised();
    if (!/^application\/vnd\.atlas\.\d{4}-\d\d-\d\d\+json$/.test(asked.header('accept') ?? ''))
      return { status: 406, body: {} };
    if (asked.path === account) {
      const shown = ({ id, secret }: Key) => ({
        id,
        maskedSecretValue: `mdb_sa_sk_${'*'.repeat(12)}${secret.slice(-4)}`,
      });
      return { status: 200, body: { clientId: client, secrets: [...state.keys.values()].map(shown) } };
    }
    const id = asked.path.slice(path.length + 1);
    if (id !== '') return asked.method === 'DELETE' ? remove(state, id, { status: 204 }) : missing;
    if (asked.method !== 'POST' || typeof jsonBody(asked)?.['secretExpiresAfterHours'] !== 'number') return badRequest;
    const key = state.make('', undefined);
    return { status: 201, body: { id: key.id, secret: key.secret, expiresAt: '2027-01-01T00:00:00Z' } };
  };
};

const confluent =
  (state: State): Handler =>
  (asked) => {
    const path = '/iam/v2/api-keys';
    if (asked.path === '/org/v2/environments') {
      const [id = '', secret = ''] = basic(asked).split(':');
      return state.find(secret)?.id === id ? { status: 200, body: { data: [] } } : unauthorised();
    }
    if (!asked.path.startsWith(path)) return undefined;
    if (basic(asked) !== state.admin) return unauthorised();
    const id = asked.path.slice(path.length + 1);
    const shown = (key: Key) => ({ id: key.id, spec: { display_name: key.label } });
    if (id !== '') {
      if (asked.method === 'DELETE') return remove(state, id, { status: 204 });
      const key = state.keys.get(id);
      return key === undefined ? missing : { status: 200, body: shown(key) };
    }
    if (asked.method === 'GET' && (asked.url.searchParams.get('spec.owner') ?? state.resource) !== state.resource)
      return { status: 200, body: { data: [], metadata: { next: '' } } };
    if (asked.method === 'GET') {
      const from = Number(asked.url.searchParams.get('page_token') ?? 0);
      const next = from + 2 < state.keys.size ? `${asked.url.origin}${path}?page_token=${from + 2}` : '';
      return {
        status: 200,
        body: { data: [...state.keys.values()].slice(from, from + 2).map(shown), metadata: { next } },
      };
    }
    const spec = readJson(JSON.stringify(jsonBody(asked)?.['spec'] ?? null));
    const owner = readJson(JSON.stringify(spec?.['owner'] ?? null))?.['id'];
    if (!nonEmpty(spec?.['display_name']) || owner !== state.resource) return badRequest;
    const key = state.make(spec['display_name'], undefined);
    return { status: 202, body: { ...shown(key), spec: { display_name: key.label, secret: key.secret } } };
  };

const newRelic =
  (state: State): Handler =>
  (asked) => {
    if (asked.path !== '/graphql') return undefined;
    const body = jsonBody(asked);
    const query = body?.['query'];
    if (typeof query !== 'string') return badRequest;
    const key = asked.header('api-key') ?? '';
    if (query.includes('actor { user'))
      return state.find(key) === undefined
        ? unauthorised()
        : { status: 200, body: { data: { actor: { user: { id: 7 } } } } };
    if (key !== state.admin) return unauthorised();
    const variables = readJson(JSON.stringify(body?.['variables'] ?? null)) ?? {};
    if (query.includes('keySearch')) {
      const [, account, user] = state.resource?.split('/') ?? [];
      const isOurs = String(variables['accounts']) === account && String(variables['users']) === user;
      const keys = [...(isOurs ? state.keys.values() : [])].map((one) => ({ id: one.id, name: one.label }));
      return { status: 200, body: { data: { actor: { apiAccess: { keySearch: { keys } } } } } };
    }
    if (query.includes('apiAccessDeleteKeys')) {
      const [id] = Array.isArray(variables['ids']) ? variables['ids'] : [];
      const errors = state.keys.delete(String(id)) ? [] : [{ message: 'not found', type: 'NOT_FOUND' }];
      return { status: 200, body: { data: { apiAccessDeleteKeys: { deletedKeys: [{ id }], errors } } } };
    }
    // Errors come with 200, as GraphQL does.
    const typed =
      typeof variables['account'] === 'number' && typeof variables['user'] === 'number' && nonEmpty(variables['name']);
    if (!typed || !query.includes('apiAccessCreateKeys'))
      return { status: 200, body: { errors: [{ message: 'wrong variables' }] } };
    const made = state.make(String(variables['name']), undefined);
    const createdKeys = [{ id: made.id, key: made.secret }];
    return { status: 200, body: { data: { apiAccessCreateKeys: { createdKeys, errors: [] } } } };
  };

export const routes = {
  sendgrid,
  twilio,
  datadog,
  cloudflare,
  openai,
  'mongodb-atlas': atlas,
  confluent,
  'new-relic': newRelic,
} as const;
