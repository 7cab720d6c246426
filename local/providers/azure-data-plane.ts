/** The services behind the keys, as far as one signed request goes: a key that was regenerated is refused. */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { type Asked, type Reply, type StandInServer, startServer } from './server.ts';

export interface DataPlane {
  readonly server: StandInServer | undefined;
  /** What Resource Manager says of where the service listens. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly ownerProperties: Readonly<Record<string, unknown>>;
  /** Called before a key changes. */
  regenerated(): void;
  /** For so many logins after the next regeneration the service judges by the keys from before it. */
  lag(logins: number): void;
  close(): Promise<void>;
}

interface Keyed {
  readonly id: string;
  readonly keys: ReadonlyMap<string, string>;
  readonly ids: ReadonlyMap<string, string>;
}

/** `keys`: what the service takes just now. */
type Judge = (asked: Asked, keys: readonly string[], held: Keyed) => Reply;

interface Plane {
  readonly judge: Judge;
  readonly properties: (url: string) => Readonly<Record<string, unknown>>;
  readonly ownerProperties?: (url: string) => Readonly<Record<string, unknown>>;
}

const notFound: Reply = { status: 404, body: '' };
const nameOf = (id: string): string => id.split('/').at(-1) ?? '';
const hostOf = (url: string): string => new URL(url).host;

function hmac(key: string | Buffer, text: string): string {
  return createHmac('sha256', key).update(text, 'utf8').digest('base64');
}

// The string to sign, rebuilt from what arrived: standard headers are empty, the service's own are sorted, then the resource.
function sharedKeyString(asked: Asked, account: string, ownHeaders: readonly string[]): string {
  const headers = ownHeaders.map((name) => `${name}:${asked.header(name) ?? ''}`).sort();
  const query = [...asked.url.searchParams].map(([name, value]) => `${name}:${value}`).sort();
  const standard = ['GET', '', '', '', '', '', '', '', '', '', '', ''];
  return [...standard, ...headers, [`/${account}${asked.path}`, ...query].join('\n')].join('\n');
}

const sharedKey =
  (path: string, ownHeaders: readonly string[], refusal: Reply): Judge =>
  (asked, keys, { id }) => {
    if (asked.method !== 'GET' || asked.path !== path) return notFound;
    const text = sharedKeyString(asked, nameOf(id), ownHeaders);
    const given = asked.header('authorization');
    const good = keys.some((key) => given === `SharedKey ${nameOf(id)}:${hmac(Buffer.from(key, 'base64'), text)}`);
    return good ? { status: 200, body: '' } : refusal;
  };

const header =
  (path: string, name: string, refusedStatus: number): Judge =>
  (asked, keys) => {
    if (asked.method !== 'GET' || asked.path !== path || !asked.url.searchParams.has('api-version')) return notFound;
    return keys.includes(asked.header(name) ?? '') ? { status: 200, body: {} } : { status: refusedStatus, body: {} };
  };

const cosmos: Judge = (asked, keys) => {
  if (asked.method !== 'GET' || asked.path !== '/dbs') return notFound;
  const text = `get\ndbs\n\n${(asked.header('x-ms-date') ?? '').toLowerCase()}\n\n`;
  const given = decodeURIComponent(asked.header('authorization') ?? '');
  const good = keys.some((key) => given === `type=master&ver=1.0&sig=${hmac(Buffer.from(key, 'base64'), text)}`);
  return good
    ? { status: 200, body: { Databases: [] } }
    : { status: 401, body: { code: 'Unauthorized', message: 'no' } };
};

const appConfiguration: Judge = (asked, keys, { ids, keys: bySlot }) => {
  if (asked.method !== 'GET' || asked.path !== '/keys') return notFound;
  const content = createHash('sha256').update('').digest('base64');
  const text = `GET\n${asked.path}${asked.url.search}\n${asked.header('x-ms-date')};${asked.header('host')};${content}`;
  const given = /^HMAC-SHA256 Credential=([^&]+)&SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=(.+)$/.exec(
    asked.header('authorization') ?? '',
  );
  const slot = [...ids].find(([, id]) => id === given?.[1])?.[0];
  const key = slot === undefined ? undefined : bySlot.get(slot);
  const good =
    key !== undefined &&
    keys.includes(key) &&
    asked.header('x-ms-content-sha256') === content &&
    given?.[2] === hmac(Buffer.from(key, 'base64'), text);
  return good ? { status: 200, body: { items: [] } } : { status: 401, body: '' };
};

const sharedAccess =
  (path: string): Judge =>
  (asked, keys, { id }) => {
    if (asked.path !== path) return notFound;
    const fields = new URLSearchParams((asked.header('authorization') ?? '').replace(/^SharedAccessSignature /, ''));
    const text = `${encodeURIComponent(fields.get('sr') ?? '')}\n${fields.get('se')}`;
    const good =
      fields.get('skn') === nameOf(id) &&
      Number(fields.get('se')) > Date.now() / 1000 &&
      asked.url.origin === (fields.get('sr') ?? '').replace(/\/$/, '') &&
      keys.some((key) => fields.get('sig') === hmac(key, text));
    return good ? { status: 200, body: '<feed/>' } : { status: 401, body: '' };
  };

const registry: Judge = (asked, keys) => {
  if (asked.path !== '/v2/') return notFound;
  const pair = Buffer.from((asked.header('authorization') ?? '').replace(/^Basic /, ''), 'base64').toString();
  const good = keys.some((key) => pair === `registry:${key}`);
  return good
    ? { status: 200, body: {} }
    : { status: 401, body: {}, headers: { 'www-authenticate': 'Basic realm="x"' } };
};

const storageRefusal: Reply = {
  status: 403,
  body: '<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request.</Message></Error>',
};
const batchRefusal: Reply = { status: 403, body: { code: 'AuthenticationFailed' } };

const planes: Readonly<Record<string, Plane>> = {
  'microsoft.storage/storageaccounts': {
    judge: sharedKey('/', ['x-ms-date', 'x-ms-version'], storageRefusal),
    properties: (url) => ({ primaryEndpoints: { blob: `${url}/` } }),
  },
  'microsoft.documentdb/databaseaccounts': {
    judge: cosmos,
    properties: (url) => ({ documentEndpoint: `${url}/` }),
  },
  'microsoft.servicebus/namespaces/authorizationrules': {
    judge: sharedAccess('/$Resources/queues'),
    properties: () => ({ rights: ['Listen', 'Send', 'Manage'] }),
    ownerProperties: (url) => ({ serviceBusEndpoint: `${url}/` }),
  },
  'microsoft.eventhub/namespaces/authorizationrules': {
    judge: sharedAccess('/$Resources/eventhubs'),
    properties: () => ({ rights: ['Listen', 'Send', 'Manage'] }),
    ownerProperties: (url) => ({ serviceBusEndpoint: `${url}/` }),
  },
  'microsoft.cognitiveservices/accounts': {
    judge: header('/openai/models', 'api-key', 401),
    properties: (url) => ({ endpoint: `${url}/` }),
  },
  'microsoft.search/searchservices': {
    judge: header('/servicestats', 'api-key', 403),
    properties: (url) => ({ endpoint: url }),
  },
  'microsoft.batch/batchaccounts': {
    judge: sharedKey('/applications', ['ocp-date'], batchRefusal),
    properties: (url) => ({ accountEndpoint: hostOf(url), allowedAuthenticationModes: ['SharedKey', 'AAD'] }),
  },
  'microsoft.appconfiguration/configurationstores': {
    judge: appConfiguration,
    properties: (url) => ({ endpoint: url }),
  },
  'microsoft.containerregistry/registries': {
    judge: registry,
    properties: (url) => ({ loginServer: hostOf(url), adminUserEnabled: true }),
  },
};

/** Starts the service of a resource, where there is one to play. */
export async function startDataPlane(type: string, held: Keyed): Promise<DataPlane | undefined> {
  const view = lagging(held.keys);
  if (type.startsWith('microsoft.cache/')) return startRedisPlane(type, view);
  const plane = planes[type];
  if (plane === undefined) return undefined;
  const server = await startServer((asked) => plane.judge(asked, view.keys(), held));
  return {
    server,
    properties: plane.properties(server.url),
    ownerProperties: plane.ownerProperties?.(server.url) ?? {},
    regenerated: view.regenerated,
    lag: view.lag,
    close: () => server.close(),
  };
}

interface View {
  readonly keys: () => readonly string[];
  readonly regenerated: () => void;
  readonly lag: (logins: number) => void;
}

function lagging(keys: ReadonlyMap<string, string>): View {
  let stale: readonly string[] = [];
  let pending = 0;
  let left = 0;
  return {
    keys: () => {
      if (left <= 0) return [...keys.values()];
      left -= 1;
      return stale;
    },
    regenerated: () => {
      stale = [...keys.values()];
      left = pending;
      pending = 0;
    },
    lag: (logins) => {
      pending = logins;
    },
  };
}

async function startRedisPlane(type: string, view: View): Promise<DataPlane> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('data', (part) => {
      const words = String(part).split('\r\n');
      const key = words[words.indexOf('AUTH') + 2] ?? '';
      const good = words.includes('AUTH') && view.keys().includes(key);
      const refusal =
        '-WRONGPASS invalid username-password pair or user is disabled.\r\n-NOAUTH Authentication required.\r\n';
      socket.write(good ? '+OK\r\n+PONG\r\n' : refusal);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the stand-in has no port');
  const enterprise = type.includes('enterprise');
  return {
    server: undefined,
    properties: enterprise ? { port: address.port } : { hostName: '127.0.0.1', sslPort: address.port },
    ownerProperties: enterprise ? { hostName: '127.0.0.1' } : {},
    regenerated: view.regenerated,
    lag: view.lag,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
