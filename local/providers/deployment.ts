/**
 * Resource Manager and Microsoft Graph as far as a deployment asks them before and after the templates. As strict as the services: bearer
 * token, known api-version, 404 for everything unknown, and a name that is unique stays unique.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type Asked, type Reply, readJson, type StandInServer, startServer } from './server.ts';

export interface Subscription {
  readonly tenantId: string;
  /** Registered resource providers. */
  providers: string[];
  /** Actions of the signed-in person, by the beginning of the scope in lower case; the longest that fits counts. */
  rights: Record<string, readonly string[]>;
  /** Names of regions with Flex Consumption, as Azure writes them. */
  regions: string[];
  takenNames: string[];
  /** Vaults by resource id in lower case. */
  readonly vaults: Map<string, { readonly tenantId: string; readonly rbac: boolean }>;
  readonly topics: SystemTopic[];
  /** Content of published runbooks by path. */
  readonly runbooks: Map<string, string>;
  /** Ids of role assignments by scope in lower case. */
  readonly assignments: Map<string, readonly string[]>;
}

export interface SystemTopic {
  readonly id: string;
  readonly name: string;
  readonly source: string;
  identity: { readonly type: string; readonly userAssignedIdentities?: Readonly<Record<string, unknown>> } | undefined;
}

type Entity = Record<string, unknown> & { readonly id: string };

export interface Directory {
  readonly applications: Entity[];
  readonly principals: Entity[];
  readonly assigned: Entity[];
  /** Undefined: an application is signed in, which has no profile. */
  me: { readonly id: string; readonly userPrincipalName: string } | undefined;
}

export interface DeploymentStandIn extends StandInServer {
  readonly token: string;
  readonly subscription: Subscription;
  readonly directory: Directory;
}

const versions: Readonly<Record<string, string>> = {
  subscriptions: '2022-12-01',
  permissions: '2022-04-01',
  providers: '2025-04-01',
  vaults: '2026-02-01',
  web: '2025-03-01',
  eventGrid: '2025-02-15',
  automation: '2024-10-23',
};

/** An empty subscription in which the signed-in person may do everything. */
export async function startDeployment(): Promise<DeploymentStandIn> {
  const token = randomBytes(32).toString('base64url');
  const subscription: Subscription = {
    tenantId: randomUUID(),
    providers: [
      'Web',
      'App',
      'Storage',
      'KeyVault',
      'EventGrid',
      'ManagedIdentity',
      'Insights',
      'OperationalInsights',
    ].map((name) => `Microsoft.${name}`),
    rights: { '': ['*'] },
    regions: ['West Europe', 'East US'],
    ...{ takenNames: [], vaults: new Map(), topics: [], runbooks: new Map(), assignments: new Map() },
  };
  const directory: Directory = {
    ...{ applications: [], principals: [], assigned: [] },
    me: { id: randomUUID(), userPrincipalName: 'oncall@contoso.test' },
  };
  const server = await startServer((asked) => {
    if (asked.header('authorization') !== `Bearer ${token}`) return problem(401, 'InvalidAuthenticationToken');
    return asked.path.startsWith('/v1.0/') ? answerGraph(directory, asked) : answerManager(subscription, asked);
  });
  return { ...server, token, subscription, directory };
}

function problem(status: number, code: string): Reply {
  return { status, body: { error: { code, message: code } } };
}

function answerManager(subscription: Subscription, asked: Asked): Reply {
  const path = asked.path.toLowerCase();
  const route = managerRoutes.find(({ method, fits }) => method === asked.method && fits.test(path));
  if (route === undefined) return problem(404, 'ResourceNotFound');
  if (asked.url.searchParams.get('api-version') !== versions[route.version])
    return problem(400, 'InvalidApiVersionParameter');
  return route.answer(subscription, path, asked);
}

interface Route {
  readonly method: string;
  readonly fits: RegExp;
  readonly version: string;
  readonly answer: (subscription: Subscription, path: string, asked: Asked) => Reply;
}

const list = (value: readonly unknown[]): Reply => ({ status: 200, body: { value } });

const managerRoutes: readonly Route[] = [
  {
    ...{ method: 'GET', fits: /^\/subscriptions\/[^/]+$/, version: 'subscriptions' },
    answer: ({ tenantId }, path) => ({ status: 200, body: { subscriptionId: path.split('/')[2], tenantId } }),
  },
  {
    ...{ method: 'GET', fits: /^\/subscriptions\/[^/]+\/providers$/, version: 'providers' },
    answer: ({ providers }) => list(providers.map((namespace) => ({ namespace, registrationState: 'Registered' }))),
  },
  {
    ...{ method: 'GET', fits: /\/providers\/microsoft\.authorization\/permissions$/, version: 'permissions' },
    answer: ({ rights }, path) => {
      const best = Object.keys(rights)
        .filter((scope) => path.startsWith(scope))
        .sort((a, b) => b.length - a.length)[0];
      return list([{ actions: rights[best ?? ''] ?? [], notActions: [] }]);
    },
  },
  {
    ...{ method: 'GET', fits: /\/providers\/microsoft\.authorization\/roleassignments$/, version: 'permissions' },
    answer: ({ assignments }, path) =>
      list(
        (assignments.get(path.replace(/\/providers\/microsoft\.authorization\/roleassignments$/, '')) ?? []).map(
          (id) => ({ id }),
        ),
      ),
  },
  {
    ...{ method: 'GET', fits: /\/providers\/microsoft\.web\/georegions$/, version: 'web' },
    answer: ({ regions }, _path, asked) =>
      asked.url.searchParams.get('sku') === 'FlexConsumption'
        ? list(regions.map((name) => ({ name })))
        : problem(400, 'BadRequest'),
  },
  {
    ...{ method: 'POST', fits: /\/providers\/microsoft\.keyvault\/checknameavailability$/, version: 'vaults' },
    answer: ({ takenNames }, _path, asked) => {
      const taken = takenNames.includes(String(Reflect.get(Object(readJson(asked.body)), 'name')));
      return taken
        ? {
            status: 200,
            body: { nameAvailable: false, reason: 'AlreadyExists', message: 'The name is already in use.' },
          }
        : { status: 200, body: { nameAvailable: true } };
    },
  },
  {
    ...{ method: 'GET', fits: /\/providers\/microsoft\.keyvault\/vaults\/[^/]+$/, version: 'vaults' },
    answer: ({ vaults }, path, asked) => {
      const vault = vaults.get(path);
      if (vault === undefined) return problem(404, 'ResourceNotFound');
      const properties = { tenantId: vault.tenantId, enableRbacAuthorization: vault.rbac };
      return { status: 200, body: { id: asked.path, properties } };
    },
  },
  {
    ...{ method: 'GET', fits: /\/providers\/microsoft\.eventgrid\/systemtopics$/, version: 'eventGrid' },
    answer: ({ topics }) => list(topics.map(topicBody)),
  },
  {
    ...{ method: 'PATCH', fits: /\/providers\/microsoft\.eventgrid\/systemtopics\/[^/]+$/, version: 'eventGrid' },
    answer: ({ topics }, path, asked) => {
      const topic = topics.find(({ id }) => id.toLowerCase() === path);
      if (topic === undefined) return problem(404, 'ResourceNotFound');
      topic.identity = Reflect.get(Object(readJson(asked.body)), 'identity');
      return { status: 200, body: topicBody(topic) };
    },
  },
  {
    ...{ method: 'PUT', fits: /\/automationaccounts\/[^/]+\/runbooks\/[^/]+\/draft\/content$/, version: 'automation' },
    answer: ({ runbooks }, path, asked) => {
      runbooks.set(`${path.replace(/\/draft\/content$/, '')} draft`, asked.body);
      return { status: 202 };
    },
  },
  {
    ...{ method: 'POST', fits: /\/automationaccounts\/[^/]+\/runbooks\/[^/]+\/publish$/, version: 'automation' },
    answer: ({ runbooks }, path) => {
      const runbook = path.replace(/\/publish$/, '');
      const draft = runbooks.get(`${runbook} draft`);
      if (draft === undefined) return problem(404, 'NotFound');
      runbooks.set(runbook, draft);
      return { status: 202 };
    },
  },
  {
    ...{ method: 'GET', fits: /\/automationaccounts\/[^/]+$/, version: 'automation' },
    answer: () => ({ status: 200, body: { identity: { principalId: '77777777-7777-7777-7777-777777777777' } } }),
  },
];

function topicBody({ id, name, source, identity }: SystemTopic) {
  return {
    id,
    name,
    properties: { source, topicType: 'Microsoft.KeyVault.vaults' },
    ...(identity === undefined ? {} : { identity }),
  };
}

function answerGraph(directory: Directory, asked: Asked): Reply {
  const path = decodeURIComponent(asked.path.slice('/v1.0'.length));
  const body: Record<string, unknown> = asked.body === '' ? {} : { ...Object(readJson(asked.body)) };
  if (path === '/me')
    return directory.me === undefined ? problem(400, 'Request_BadRequest') : { status: 200, body: directory.me };
  const assignedTo = /^\/servicePrincipals\/([^/]+)\/appRoleAssignedTo$/.exec(path)?.[1];
  if (assignedTo !== undefined) return onAssigned(directory, assignedTo, asked.method, body);
  if (path === '/applications' && asked.method === 'POST') {
    if (directory.applications.some((one) => one['uniqueName'] === body['uniqueName']))
      return problem(400, 'ObjectConflict');
    return made(directory.applications, { appRoles: [], identifierUris: [], api: {}, ...body, appId: randomUUID() });
  }
  if (path === '/servicePrincipals' && asked.method === 'POST') {
    const known = directory.applications.some((one) => one['appId'] === body['appId']);
    return known ? made(directory.principals, body) : problem(400, 'Request_BadRequest');
  }
  if (asked.method === 'PATCH') {
    const application = directory.applications.find(({ id }) => path === `/applications/${id}`);
    if (application === undefined) return problem(404, 'Request_ResourceNotFound');
    Object.assign(application, body);
    return { status: 204 };
  }
  const [, uniqueName] = /^\/applications\(uniqueName='([^']+)'\)$/.exec(path) ?? [];
  const [, appId] = /^\/servicePrincipals\(appId='([^']+)'\)$/.exec(path) ?? [];
  const found =
    uniqueName === undefined
      ? directory.principals.find((one) => one['appId'] === appId)
      : directory.applications.find((one) => one['uniqueName'] === uniqueName);
  return found === undefined ? problem(404, 'Request_ResourceNotFound') : { status: 200, body: found };
}

function made(entities: Entity[], body: Record<string, unknown>): Reply {
  const one = { ...body, id: randomUUID() };
  entities.push(one);
  return { status: 201, body: one };
}

function onAssigned({ assigned }: Directory, resourceId: string, method: string, body: Record<string, unknown>): Reply {
  const own = assigned.filter((one) => one['resourceId'] === resourceId);
  if (method === 'GET') return list(own);
  const same = (one: Entity) => one['principalId'] === body['principalId'] && one['appRoleId'] === body['appRoleId'];
  // Graph refuses what is there already.
  return own.some(same) ? problem(400, 'Request_BadRequest') : made(assigned, body);
}
