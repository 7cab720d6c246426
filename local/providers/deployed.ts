/**
 * Resource Manager over one deployment of Keyturn, as far as `keyturn doctor --deployment` reads it: everything healthy, to be broken by tests. As
 * strict as the service: bearer token, exact api-version, 404 for everything unknown.
 */
import { queueNames } from '../../shared/contract/queue-names.ts';
import { type Asked, type Reply, type StandInServer, startServer } from './server.ts';

interface Held {
  readonly version: string;
  /** An object is a resource; a list is answered as `{value: […]}`. */
  body: unknown;
}

export interface DeployedStandIn extends StandInServer {
  readonly token: string;
  readonly siteId: string;
  /** By path in lower case, without the query. A test changes or takes away what it wants to be wrong. */
  readonly held: Map<string, Held>;
  /** Paths, in lower case, that the caller may not read. */
  readonly forbidden: Set<string>;
  /** How far its clock is off, in seconds. */
  offSeconds: number;
}

const subscription = '/subscriptions/33333333-3333-3333-3333-333333333333';
const group = `${subscription}/resourceGroups/rg-prod`;
export const ids = {
  site: `${group}/providers/Microsoft.Web/sites/keyturn-abc`,
  vault: `${subscription}/resourceGroups/shared-rg/providers/Microsoft.KeyVault/vaults/local`,
  storage: `${group}/providers/Microsoft.Storage/storageAccounts/keyturnabc`,
  topic: `${subscription}/resourceGroups/shared-rg/providers/Microsoft.EventGrid/systemTopics/local-events`,
  role: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/88888888-8888-8888-8888-888888888888`,
  rules: `${group}/providers/Microsoft.Insights/scheduledQueryRules`,
  metrics: `${group}/providers/Microsoft.Insights/metricAlerts`,
} as const;

export const principals = { app: 'app-principal', topic: 'topic-principal' } as const;
const builtIn = (id: string) => `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${id}`;
export const assignment = (roleDefinitionId: string) => ({ properties: { roleDefinitionId } });
/** Of the storage account, then of the topic at the queue. */
export const roleIds = {
  storage: [
    'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
    '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
    '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  ],
  send: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a',
} as const;

export const paths = {
  settings: `${ids.site}/config/appsettings/list`,
  authentication: `${ids.site}/config/authsettingsV2`,
  vaultRoles: `${ids.vault}/providers/Microsoft.Authorization/roleAssignments`,
  storageRoles: `${ids.storage}/providers/Microsoft.Authorization/roleAssignments`,
  queueRoles: `${ids.storage}/queueServices/default/queues/${queueNames.secretEvents}/providers/Microsoft.Authorization/roleAssignments`,
  topics: `${subscription}/providers/Microsoft.EventGrid/systemTopics`,
  subscriptions: `${ids.topic}/eventSubscriptions`,
  logs: `${ids.vault}/providers/Microsoft.Insights/diagnosticSettings`,
  policies: `${ids.vault}/providers/Microsoft.Authorization/policyAssignments`,
  initiative: `${subscription}/providers/Microsoft.Authorization/policySetDefinitions/guardrails`,
} as const;

export const settings: Readonly<Record<string, string>> = {
  AZURE_CLIENT_ID: 'app-client',
  KEYTURN_VAULTS: 'https://local.vault.azure.net',
  KEYTURN_API_AUDIENCE: 'api://app',
  AzureWebJobsStorage__queueServiceUri: 'https://keyturnabc.queue.core.windows.net/',
};

const secrets = 'Microsoft.KeyVault/vaults/secrets';
export const dataActions = ['readMetadata', 'getSecret', 'setSecret', 'update', 'recover'].map(
  (what) => `${secrets}/${what}/action`,
);

export const eventSubscription = {
  name: 'keyturn-abc',
  properties: {
    provisioningState: 'Succeeded',
    filter: {
      includedEventTypes: ['SecretNearExpiry', 'SecretExpired', 'SecretNewVersionCreated'].map(
        (type) => `Microsoft.KeyVault.${type}`,
      ),
    },
    deliveryWithResourceIdentity: {
      destination: {
        endpointType: 'StorageQueue',
        properties: { resourceId: ids.storage, queueName: queueNames.secretEvents },
      },
    },
  },
};

const rule = (name: string) => ({
  name: `keyturn-abc-${name}`,
  properties: { enabled: true, actions: { actionGroups: ['g'] } },
});

const metricRules = ['throttled-local', 'dead-letters-local-events'];
const metricRule = (name: string) => ({
  name: `keyturn-abc-${name}`,
  properties: { enabled: true, actions: [{ actionGroupId: 'g' }] },
});

/** `rules`: names of the alert rules that are deployed. */
export async function startDeployed(token: string, rules: readonly string[]): Promise<DeployedStandIn> {
  const held = new Map(healthy(rules).map(([path, version, body]) => [path.toLowerCase(), { version, body }]));
  const forbidden = new Set<string>();
  const clock = { offSeconds: 0 };
  const server = await startServer((asked) => {
    const date = new Date(Date.now() + clock.offSeconds * 1_000).toUTCString();
    return { ...answer(asked, { token, held, forbidden }), headers: { date } };
  });
  return Object.assign(clock, server, { token, siteId: ids.site, held, forbidden });
}

function healthy(rules: readonly string[]): readonly (readonly [string, string, unknown])[] {
  const site = {
    properties: { state: 'Running' },
    identity: { userAssignedIdentities: { one: { clientId: 'app-client', principalId: principals.app } } },
  };
  const topic = {
    id: ids.topic,
    name: 'local-events',
    properties: { source: ids.vault.toUpperCase() },
    identity: { principalId: principals.topic },
  };
  return [
    [ids.site, '2025-03-01', site],
    [paths.settings, '2025-03-01', { properties: settings }],
    [
      paths.authentication,
      '2025-03-01',
      {
        properties: {
          platform: { enabled: true },
          globalValidation: { unauthenticatedClientAction: 'AllowAnonymous' },
        },
      },
    ],
    [`${subscription}/providers/Microsoft.KeyVault/vaults`, '2026-02-01', [{ id: ids.vault, name: 'local' }]],
    [
      `${subscription}/providers/Microsoft.Storage/storageAccounts`,
      '2025-06-01',
      [{ id: ids.storage, name: 'keyturnabc' }],
    ],
    [paths.vaultRoles, '2022-04-01', [assignment(ids.role)]],
    [ids.role, '2022-04-01', { properties: { permissions: [{ dataActions }] } }],
    [paths.storageRoles, '2022-04-01', roleIds.storage.map((id) => assignment(builtIn(id)))],
    [paths.queueRoles, '2022-04-01', [assignment(builtIn(roleIds.send))]],
    [paths.topics, '2025-02-15', [topic]],
    [paths.subscriptions, '2025-02-15', [eventSubscription]],
    [
      paths.logs,
      '2021-05-01-preview',
      [{ properties: { workspaceId: 'w', logs: [{ category: 'AuditEvent', enabled: true }] } }],
    ],
    [paths.policies, '2023-04-01', []],
    [paths.initiative, '2023-04-01', { properties: { policyDefinitions: [] } }],
    [ids.metrics, '2018-03-01', metricRules.map(metricRule)],
    [ids.rules, '2025-01-01-preview', rules.map(rule)],
  ];
}

function answer(
  { path, url, header, method }: Asked,
  { token, held, forbidden }: Pick<DeployedStandIn, 'token' | 'held' | 'forbidden'>,
): Reply {
  const problem = (status: number, code: string): Reply => ({ status, body: { error: { code, message: code } } });
  if (header('authorization') !== `Bearer ${token}`) return problem(401, 'InvalidAuthenticationToken');
  const known = held.get(path.toLowerCase());
  if (known === undefined) return problem(404, 'ResourceNotFound');
  if (forbidden.has(path.toLowerCase())) return problem(403, 'AuthorizationFailed');
  if (url.searchParams.get('api-version') !== known.version) return problem(400, 'InvalidApiVersionParameter');
  if (method !== (path.endsWith('/list') ? 'POST' : 'GET')) return problem(405, 'MethodNotAllowed');
  return { status: 200, body: Array.isArray(known.body) ? { value: known.body } : known.body };
}
