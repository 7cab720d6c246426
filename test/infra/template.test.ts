/** What the templates deploy, looked through: who gets which right, what the app is told, what is open to whom. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSecretEvent } from '../../functions/secret-event.ts';
import { settingTable } from '../../shared/config/setting-table.ts';
import { readSettings } from '../../shared/config/settings.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { root } from '../tidy/files.ts';
import { at, cases, ofType, predicted, type Resource, templatesOf } from './resources.ts';

const open = predicted('open');
const closed = predicted('closed');

const roleNames = new Map([
  ['b7e6dc6d-f1e8-4753-8033-0f276bb0955b', 'Storage Blob Data Owner'],
  ['974c5e8b-45b9-4653-ba55-5f855dd0fb88', 'Storage Queue Data Contributor'],
  ['0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3', 'Storage Table Data Contributor'],
  ['3913510d-42f4-4e42-8a64-420c390055eb', 'Monitoring Metrics Publisher'],
  ['b86a8fe4-44ce-4948-aee5-eccb2c155cd7', 'Key Vault Secrets Officer'],
  ['c6a89b2d-59bc-44d0-9896-0f6e12d7b80a', 'Storage Queue Data Message Sender'],
  ['ba92f5b4-2d11-453d-a403-e96b0029c9fe', 'Storage Blob Data Contributor'],
  ['d5a91429-5739-47e2-a06b-3470a27159e7', 'EventGrid Data Sender'],
]);

/** `role of whom on what`, where the custom role has no name but its definition. */
function assignmentsOf(resources: readonly Resource[]): readonly string[] {
  return ofType(resources, 'Microsoft.Authorization/roleAssignments').map(({ id, properties }) => {
    const scope = /extensionResourceId\('([^']+)'/.exec(id)?.[1] ?? id;
    const role = String(properties['roleDefinitionId']).split('/').at(-1)?.replace(/'.*$/, '') ?? '';
    const topic = /systemTopics\/([^']+)'/.exec(String(properties['principalId']))?.[1];
    expect(properties['principalType']).toBe('ServicePrincipal');
    return `${roleNames.get(role) ?? 'custom role'}: ${topic ?? 'app'} on ${scope
      .split('/')
      .slice(-2)
      .join('/')
      .replace(/keyturn-?[a-z0-9]{13}/g, 'KEYTURN')
      .replace(/kv-[a-z0-9]{13}/, 'VAULT')}`;
  });
}

const ofTheApp = [
  'Storage Blob Data Owner: app on storageAccounts/KEYTURN',
  'Storage Queue Data Contributor: app on storageAccounts/KEYTURN',
  'Storage Table Data Contributor: app on storageAccounts/KEYTURN',
  'Monitoring Metrics Publisher: app on components/KEYTURN',
];
const ofTopic = (topic: string) => [
  `Storage Queue Data Message Sender: ${topic} on queues/secret-events`,
  `Storage Blob Data Contributor: ${topic} on containers/dead-letters`,
];

describe('rights', () => {
  it('of an open deployment with a vault of its own: these and no other', () => {
    const topic = ofType(open, 'Microsoft.EventGrid/systemTopics')[0]?.name ?? '';
    expect(assignmentsOf(open).toSorted()).toEqual(
      [...ofTheApp, 'custom role: app on vaults/VAULT', ...ofTopic(topic)].toSorted(),
    );
  });

  it('of a closed deployment with three vaults in two subscriptions and a topic for news: these and no other', () => {
    const vaults = ['contoso-new', 'contoso-kv', 'payroll-kv'];
    expect(assignmentsOf(closed).toSorted()).toEqual(
      [
        ...ofTheApp,
        ...vaults.map((name) => `Key Vault Secrets Officer: app on vaults/${name}`),
        ...['contoso-new-events', 'contoso-kv-events', 'payroll-events'].flatMap(ofTopic),
        'EventGrid Data Sender: app on topics/KEYTURN-news',
      ].toSorted(),
    );
  });

  it('a company that refuses custom roles gets none', () => {
    expect(ofType(closed, 'Microsoft.Authorization/roleDefinitions')).toEqual([]);
    expect(ofType(open, 'Microsoft.Authorization/roleDefinitions')).toHaveLength(1);
  });
});

const settingsOf = (resources: readonly Resource[]): Readonly<Record<string, string>> => {
  const found = ofType(resources, 'Microsoft.Web/sites/config').find(({ name }) => name.endsWith('/appsettings'));
  return Object.fromEntries(Object.entries(found?.properties ?? {}).map(([name, value]) => [name, String(value)]));
};

/** Read by the platform, not by the app. */
const platform = [
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
];

/** What only Azure knows, in the form that it has there. */
function asDeployed(settings: Readonly<Record<string, string>>): Record<string, string> {
  const known = (name: string, value: string): string => {
    if (!value.startsWith('[')) return value;
    const service = /__(blob|queue|table)ServiceUri$/.exec(name)?.[1];
    if (service !== undefined) return `https://store.${service}.core.windows.net/`;
    if (name === 'KEYTURN_VAULTS')
      return [...value.matchAll(/'([a-z0-9-]+)', environment/g)]
        .map(([, vault]) => `https://${vault}.vault.azure.net`)
        .join(',');
    if (name === 'KEYTURN_CLOUD') return /'public'\)+\]$/.exec(value) === null ? value : 'public';
    if (name === 'AZURE_CLIENT_ID') return '55555555-5555-5555-5555-555555555555';
    if (name === 'KEYTURN_CHANNELS')
      return '{"events":{"kind":"event-grid","endpoint":"https://news.westeurope-1.eventgrid.azure.net/api/events"}}';
    return value;
  };
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, known(name, value)]));
}

describe.each(cases)('the settings of the deployment "%s"', (name) => {
  const settings = settingsOf(predicted(name));

  it('are known to the app or to the platform, and none that must be set is missing', () => {
    const names = Object.keys(settings);
    expect(names.filter((one) => !(one in settingTable) && !platform.includes(one))).toEqual([]);
    const required = Object.entries(settingTable).flatMap(([one, entry]) => ('standard' in entry ? [] : [one]));
    const byIdentity = ['blob', 'queue', 'table'].map((service) => `AzureWebJobsStorage__${service}ServiceUri`);
    expect([...required, ...byIdentity, ...platform, 'AZURE_CLIENT_ID'].filter((one) => !names.includes(one))).toEqual(
      [],
    );
  });

  it('are accepted by the app that is deployed with them', () => {
    const outcome = readSettings(asDeployed(settings));
    expect(outcome.kind === 'settings' ? [] : outcome.problems).toEqual([]);
  });

  it('hold no shared key, no connection string of the storage account and nothing for tests', () => {
    expect(Object.keys(settings)).not.toContain('AzureWebJobsStorage');
    expect(JSON.stringify(settings)).not.toMatch(/AccountKey|SharedAccess|listKeys/i);
    expect(
      Object.keys(settings).filter((one) => /^KEYTURN_(RESOURCE_MANAGER|GRAPH|LOGIN)_URL$|^NODE_DEBUG/.test(one)),
    ).toEqual([]);
  });
});

const keyVaultEvents = ['Secret', 'Key', 'Certificate'].flatMap((kind) =>
  ['NewVersionCreated', 'NearExpiry', 'Expired'].map((what) => `Microsoft.KeyVault.${kind}${what}`),
);

describe('events', () => {
  const subscriptions = ofType(closed, 'Microsoft.EventGrid/systemTopics/eventSubscriptions');

  it('that are subscribed to are those that the app does something about, and no other', () => {
    const data = { VaultName: 'contoso-kv', ObjectName: 'orders-db', Version: 'a'.repeat(32) };
    const wanted = keyVaultEvents.filter((type) => {
      const { kind } = readSecretEvent({ type, data }, new Set(['contoso-kv']));
      return kind === 'request' || kind === 'new-version';
    });
    expect(subscriptions).toHaveLength(3);
    for (const one of subscriptions) {
      const included = at(one.properties, 'filter', 'includedEventTypes');
      expect(Array.isArray(included) && included.toSorted()).toEqual(wanted.toSorted());
    }
  });

  it('go to the queue that the app reads, as the topic itself, and to a container where that fails for a day', () => {
    for (const { properties } of subscriptions) {
      const delivery = at(properties, 'deliveryWithResourceIdentity');
      expect(at(delivery, 'identity', 'type')).toBe('SystemAssigned');
      expect(at(delivery, 'destination', 'endpointType')).toBe('StorageQueue');
      expect(at(delivery, 'destination', 'properties', 'queueName')).toBe(queueNames.secretEvents);
      expect(
        at(properties, 'deadLetterWithResourceIdentity', 'deadLetterDestination', 'properties', 'blobContainerName'),
      ).toBe('dead-letters');
      expect(at(properties, 'retryPolicy')).toEqual({ maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 });
    }
  });

  it('a vault that has a topic already keeps it: none is made for it', () => {
    expect(ofType(closed, 'Microsoft.EventGrid/systemTopics').map(({ name }) => name)).toEqual([
      'contoso-new-events',
      'contoso-kv-events',
    ]);
    expect(subscriptions.map(({ id }) => id).filter((id) => id.includes('/events-rg/'))).toHaveLength(1);
  });

  it('an expired secret is told to the action group without Keyturn', () => {
    const told = ofType(open, 'Microsoft.EventGrid/systemTopics/eventSubscriptions').find(({ name }) =>
      name.endsWith('-expired'),
    );
    expect(at(told?.properties, 'destination', 'endpointType')).toBe('MonitorAlert');
    expect(at(told?.properties, 'filter', 'includedEventTypes')).toEqual(['Microsoft.KeyVault.SecretExpired']);
  });
});

describe.each(cases)('the deployment "%s"', (name) => {
  const resources = predicted(name);
  const only = (type: string): Readonly<Record<string, unknown>> => {
    const [one, ...more] = ofType(resources, type);
    expect(more).toEqual([]);
    return one?.properties ?? {};
  };

  it('has a storage account without shared keys and anonymous access, reached over TLS 1.2', () => {
    expect(only('Microsoft.Storage/storageAccounts')).toMatchObject({
      ...{ allowSharedKeyAccess: false, allowBlobPublicAccess: false, minimumTlsVersion: 'TLS1_2' },
      ...{ supportsHttpsTrafficOnly: true, networkAcls: { defaultAction: name === 'closed' ? 'Deny' : 'Allow' } },
    });
    for (const { properties } of ofType(resources, 'Microsoft.Storage/storageAccounts/blobServices/containers'))
      expect(properties['publicAccess']).toBe('None');
  });

  it('has an app on Flex Consumption with Node 22, over https alone, without passwords for deployments', () => {
    const site = only('Microsoft.Web/sites');
    expect(site).toMatchObject({
      httpsOnly: true,
      siteConfig: { minTlsVersion: '1.2', scmMinTlsVersion: '1.2', ftpsState: 'Disabled' },
    });
    expect(at(site, 'functionAppConfig', 'runtime')).toEqual({ name: 'node', version: '22' });
    expect(at(site, 'functionAppConfig', 'deployment', 'storage', 'authentication', 'type')).toBe(
      'UserAssignedIdentity',
    );
    const policies = ofType(resources, 'Microsoft.Web/sites/basicPublishingCredentialsPolicies');
    expect(policies.map(({ properties }) => properties['allow'])).toEqual([false, false]);
  });

  it('takes telemetry from identities alone', () => {
    expect(only('Microsoft.Insights/components')).toMatchObject({ DisableLocalAuth: true });
    expect(only('Microsoft.OperationalInsights/workspaces')).toMatchObject({ features: { disableLocalAuth: true } });
  });

  it('makes a vault with roles instead of access policies, which nobody purges', () => {
    expect(only('Microsoft.KeyVault/vaults')).toMatchObject({
      enableRbacAuthorization: true,
      enablePurgeProtection: true,
    });
  });

  it('writes the logs of every vault into the tables that the alert rules read', () => {
    const settings = ofType(resources, 'Microsoft.Insights/diagnosticSettings');
    expect(settings).toHaveLength(name === 'closed' ? 3 : 1);
    for (const { properties } of settings) {
      expect(properties['logAnalyticsDestinationType']).toBe('Dedicated');
      expect(properties['logs']).toContainEqual({ category: 'AuditEvent', enabled: true });
    }
  });

  it('has alert rules, each of which names a page that is there', () => {
    const rules = [
      ...ofType(resources, 'Microsoft.Insights/scheduledQueryRules'),
      ...ofType(resources, 'Microsoft.Insights/metricAlerts'),
    ];
    expect(rules.length).toBeGreaterThanOrEqual(8);
    for (const { properties } of rules) {
      const page = /docs\/on-call\/[a-z-]+\.md/.exec(String(properties['description']))?.[0] ?? 'no page';
      expect(readFileSync(join(root, page), 'utf8')).toMatch(/^# /);
    }
  });

  it('has a rule for a freeze that cannot be read, as nothing that is due is rotated then', () => {
    const [rule] = ofType(resources, 'Microsoft.Insights/scheduledQueryRules').filter(({ name: of }) =>
      of.endsWith('-freeze-unreadable'),
    );
    expect(rule?.properties).toMatchObject({ enabled: true, severity: 2 });
    expect(rule?.properties['description']).toMatch(/docs\/on-call\/vault-trouble\.md$/);
  });
});

describe('a closed deployment', () => {
  it('has no way in but private endpoints and trusted services', () => {
    expect(ofType(closed, 'Microsoft.Web/sites')[0]?.properties).toMatchObject({ publicNetworkAccess: 'Disabled' });
    expect(ofType(closed, 'Microsoft.KeyVault/vaults')[0]?.properties).toMatchObject({
      publicNetworkAccess: 'Disabled',
      networkAcls: { bypass: 'AzureServices', defaultAction: 'Deny' },
    });
    // Event Grid passes the firewall as a trusted service, so it needs no endpoint.
    expect(ofType(closed, 'Microsoft.Storage/storageAccounts')[0]?.properties).toMatchObject({
      networkAcls: { bypass: 'AzureServices' },
    });
    const groups = ofType(closed, 'Microsoft.Network/privateEndpoints').map(({ properties }) =>
      at(properties, 'privateLinkServiceConnections', '0', 'name'),
    );
    expect(groups.toSorted()).toEqual(['blob', 'queue', 'sites', 'table', 'vault', 'vault', 'vault']);
  });

  it('sends what the app asks through the network', () => {
    const site = ofType(closed, 'Microsoft.Web/sites')[0];
    expect(site?.properties['virtualNetworkSubnetId']).toMatch(/\/subnets\/app$/);
    const [network] = ofType(closed, 'Microsoft.Network/virtualNetworks');
    expect(JSON.stringify(network?.properties)).toContain('Microsoft.App/environments');
  });
});

describe.each(['main', 'button'] as const)('the compiled template %s', (name) => {
  const templates = templatesOf(name);

  it('gives no secret out: no output is one, and none asks for keys', () => {
    expect(templates.length).toBeGreaterThan(15);
    for (const { outputs } of templates) {
      for (const [output, { type, ...value }] of Object.entries(outputs)) {
        expect(type.toLowerCase(), output).not.toContain('secure');
        expect(JSON.stringify(value), output).not.toMatch(
          /list\w*\(|connectionstring|sharedkey|password|selftestValue/i,
        );
      }
    }
  });

  it('asks for no key anywhere', () => {
    expect(JSON.stringify(templates[0])).not.toMatch(/listKeys|listAccountSas|listCredentials/i);
  });
});

describe('the form of the button', () => {
  const text = readFileSync(join(root, 'infra', 'createUiDefinition.json'), 'utf8');
  const form: unknown = JSON.parse(text);

  it('fills parameters that the template has, and every one that it needs', () => {
    const parameters = at(templatesOf('button')[0], 'parameters');
    const outputs = Object.keys(Object(at(form, 'parameters', 'outputs')));
    expect(outputs.filter((one) => at(parameters, one) === undefined)).toEqual([]);
    const needed = Object.entries(Object(parameters)).flatMap(([one, what]) =>
      Object.hasOwn(Object(what), 'defaultValue') ? [] : [one],
    );
    expect(needed.filter((one) => !outputs.includes(one))).toEqual([]);
  });

  it('asks for the right to give rights before anything is made', () => {
    const asked = at(form, 'parameters', 'config', 'basics', 'resourceGroup', 'constraints', 'validations');
    expect(JSON.stringify(asked)).toContain('Microsoft.Authorization/roleAssignments/write');
  });
});
