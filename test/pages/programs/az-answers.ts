/** What the commands that reach no stand-in answer: the parts of the real answers that the pages look at. */
import type { AzAsked } from './az-arguments.ts';

const principal = '6c1f3d5e-0000-4000-8000-000000000001';
const resource =
  '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/data-rg/providers/Microsoft.Storage/storageAccounts/contosodata';

const functionApp = {
  ...{ id: '/subscriptions/s/resourceGroups/keyturn-rg/providers/Microsoft.Web/sites/keyturn-app', state: 'Running' },
  ...{ availabilityState: 'Normal', possibleOutboundIpAddresses: '20.1.2.3,20.1.2.4' },
};
const storageAccount = {
  ...{ id: resource, name: 'keyturnstore', statusOfPrimary: 'available', publicNetworkAccess: 'Enabled' },
  ...{ allowSharedKeyAccess: false, networkRuleSet: { defaultAction: 'Deny' } },
};
const settings = [
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' },
  { name: 'KEYTURN_CHANNELS', value: '{"ops":{"kind":"slack","urlSecret":"ops-slack-url"}}' },
];
const done = {};

const answers: Readonly<Record<string, unknown>> = {
  'account get-access-token': { accessToken: 'token-of-nobody', expiresOn: '2030-01-01 00:00:00.000000' },
  'ad app owner add': undefined,
  'ad sp list': [{ id: principal }],
  'ad sp show': {
    id: principal,
    appRoles: [
      { value: 'Keyturn.Operator', id: 'role-1' },
      { value: 'Application.ReadWrite.OwnedBy', id: 'role-2' },
    ],
  },
  'automation account create': done,
  'automation account show': {
    id: '/subscriptions/s/resourceGroups/keyturn-rg/providers/Microsoft.Automation/automationAccounts/keyturn-runbooks',
  },
  'automation runbook create': done,
  'automation runbook publish': undefined,
  'automation runbook replace-content': undefined,
  'automation runbook start': done,
  'containerapp revision restart': 'Restart succeeded',
  'eventgrid event-subscription list': [{ name: 'keyturn' }],
  'eventgrid topic create': done,
  'eventgrid topic show': {
    id: '/subscriptions/s/resourceGroups/keyturn-rg/providers/Microsoft.EventGrid/topics/keyturn-events',
  },
  'extension add': undefined,
  'functionapp config appsettings list': settings,
  'functionapp config appsettings set': settings,
  'functionapp deployment source config-zip': done,
  'functionapp identity show': { principalId: principal },
  'functionapp restart': undefined,
  'functionapp show': functionApp,
  'functionapp start': undefined,
  'functionapp stop': undefined,
  'functionapp vnet-integration list': [{ name: 'keyturn-vnet' }],
  'keyvault network-rule add': done,
  'keyvault show': {
    properties: {
      vaultUri: 'https://contoso-kv.vault.azure.net/',
      publicNetworkAccess: 'Disabled',
      networkAcls: { defaultAction: 'Deny' },
    },
  },
  'lock list': [],
  'monitor action-group create': done,
  'monitor activity-log list': [
    {
      eventTimestamp: '2026-01-01T00:00:00Z',
      caller: 'somebody@contoso.com',
      operationName: { localizedValue: 'Write' },
    },
  ],
  'monitor log-analytics query': [{ count_: '3' }],
  'monitor metrics list': { value: [] },
  'monitor scheduled-query create': done,
  'policy state list': [{ policyDefinitionName: 'secrets-expire' }],
  'postgres flexible-server firewall-rule create': done,
  'postgres flexible-server server-logs list': [],
  'redis firewall-rules create': done,
  'resource invoke-action': { keys: [{ keyName: 'key1' }, { keyName: 'key2' }] },
  'resource show': { id: resource, properties: { allowSharedKeyAccess: false, disableLocalAuth: null } },
  'role assignment create': done,
  'role assignment list': [{ principalName: 'keyturn-app', roleDefinitionName: 'Key Vault Secrets Officer' }],
  'role definition create': done,
  'sql server firewall-rule create': done,
  'storage account keys list': [
    { keyName: 'key1', value: 'c3RhbmQtaW4ga2V5IG9uZQ==' },
    { keyName: 'key2', value: 'c3RhbmQtaW4ga2V5IHR3bw==' },
  ],
  'storage account keys renew': done,
  'storage account show': storageAccount,
  'webapp config appsettings set': settings,
  'webapp restart': undefined,
};

/** Undefined where the real command prints nothing. Options whose value is JSON or a file are looked at as the real one does. */
export function cannedAnswer({ command, options }: AzAsked): unknown {
  if (command === 'rest') return restAnswer(options);
  const definition = options.get('--role-definition')?.[0];
  if (definition !== undefined) JSON.parse(definition);
  for (const setting of options.get('--settings') ?? []) {
    if (!/^[A-Za-z_]\w*=/.test(setting)) throw new Error(`az: "${setting}" is not like NAME=VALUE`);
  }
  for (const name of ['--scope', '--resource', '--source-resource-id', '--scopes']) {
    for (const id of options.get(name) ?? [])
      if (!/^\/subscriptions\//.test(id)) throw new Error(`az: ${name} ${id} is no resource id`);
  }
  if (!(command in answers)) throw new Error(`az: ${command} has no answer in az-answers.ts`);
  return answers[command];
}

function restAnswer(options: AzAsked['options']): unknown {
  const url = new URL(options.get('--uri')?.[0] ?? '');
  if (!['management.azure.com', 'graph.microsoft.com'].includes(url.hostname))
    throw new Error(`az rest: ${url.hostname}`);
  if (url.hostname === 'management.azure.com' && !url.searchParams.has('api-version'))
    throw new Error('az rest: no api-version');
  const body = options.get('--body')?.[0];
  if (body !== undefined) JSON.parse(body);
  return { id: url.pathname, identity: { principalId: principal }, properties: { availabilityState: 'Available' } };
}
