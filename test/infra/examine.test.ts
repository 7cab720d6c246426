/** `keyturn doctor --deployment` against a Resource Manager over HTTP: each thing that is wrong is named with the line that mends it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serviceAt } from '../../infra/hooks/azure.ts';
import { examine } from '../../infra/hooks/examine/index.ts';
import { vaultDataActions } from '../../infra/hooks/examine/rights.ts';
import { alertRules, metricRules } from '../../infra/hooks/examine/watch.ts';
import {
  assignment,
  type DeployedStandIn,
  dataActions,
  eventSubscription,
  ids,
  paths,
  settings,
  startDeployed,
} from '../../local/providers/deployed.ts';
import { root } from '../tidy/files.ts';

let azure: DeployedStandIn;
beforeEach(async () => {
  azure = await startDeployed('token-of-a-test', alertRules);
});
afterEach(() => azure.close());

const look = async () =>
  examine(
    serviceAt(azure.url, async () => azure.token),
    azure.siteId,
    (text) => Number(/P(\d+)D/.exec(text)?.[1]),
    { time: new Date(), heardMs: performance.now() },
  );

/** Changes what one path answers. */
const set = (path: string, body: unknown): void => {
  const held = azure.held.get(path.toLowerCase());
  if (held === undefined) throw new Error(`${path} is not held`);
  held.body = body;
};

it('a deployment as the templates make it passes in every part, and nothing of it is changed', async () => {
  const findings = await look();
  expect(findings.filter(({ state }) => state !== 'passed')).toEqual([]);
  expect(findings.map(({ name }) => name)).toEqual([
    ...['app', 'identity', 'rights on the vault local', 'rights on the storage account', 'events of the vault local'],
    ...['sign-in', 'logs of the vault local', 'policies at the vault local', 'clock', 'alert rules'],
  ]);
  expect(azure.requests.filter(({ method, path }) => method !== 'GET' && !path.includes('/appsettings/list'))).toEqual(
    [],
  );
});

const definitions = '/providers/Microsoft.Authorization/policyDefinitions';
const least = (effect: string, days: number) => ({
  properties: {
    policyDefinitionId: `${definitions}/b0eb591a-5e70-4534-a8bf-04b9c489584a`,
    parameters: { effect: { value: effect }, minimumDaysBeforeExpiration: { value: days } },
  },
});
const policy = (effect: string, days: number) => ({
  properties: {
    policyDefinitionId: '/providers/Microsoft.Authorization/policyDefinitions/342e8053-e12e-4c44-be01-c3c2f318400f',
    parameters: { effect: { value: effect }, maximumValidityInDays: { value: days } },
  },
});
const { deliveryWithResourceIdentity: _queue, ...otherwise } = eventSubscription.properties;

describe('is named, and nothing else:', () => {
  it.each<[string, string, unknown, string, RegExp]>([
    [
      'an app that is stopped',
      ids.site,
      {
        properties: { state: 'Stopped' },
        identity: { userAssignedIdentities: { one: { clientId: 'app-client', principalId: 'app-principal' } } },
      },
      'app',
      /az functionapp start/,
    ],
    [
      'an identity that the app does not have',
      paths.settings,
      { properties: { ...settings, AZURE_CLIENT_ID: 'another' } },
      'identity',
      /AZURE_CLIENT_ID/,
    ],
    [
      'a right on a vault that is missing',
      paths.vaultRoles,
      [],
      'rights on the vault local',
      /az role assignment create --assignee-object-id app-principal .*"Key Vault Secrets Officer" --scope ".*\/vaults\/local"/,
    ],
    [
      'a custom role that lacks one data action',
      ids.role,
      { properties: { permissions: [{ dataActions: dataActions.slice(0, -1) }] } },
      'rights on the vault local',
      /role assignment create/,
    ],
    [
      'a role on the storage account that is missing',
      paths.storageRoles,
      [assignment('x/b7e6dc6d-f1e8-4753-8033-0f276bb0955b'), assignment('x/974c5e8b-45b9-4653-ba55-5f855dd0fb88')],
      'rights on the storage account',
      /"Storage Table Data Contributor"/,
    ],
    ['a vault without a system topic', paths.topics, [], 'events of the vault local', /azd provision/],
    [
      'a topic without a subscription to this app',
      paths.subscriptions,
      [{ properties: { ...otherwise, destination: { endpointType: 'WebHook' } } }],
      'events of the vault local',
      /azd provision/,
    ],
    [
      'a subscription that is not made yet',
      paths.subscriptions,
      [{ properties: { ...eventSubscription.properties, provisioningState: 'Failed' } }],
      'events of the vault local',
      /azd provision/,
    ],
    [
      'a filter that leaves an event out',
      paths.subscriptions,
      [
        {
          properties: {
            ...eventSubscription.properties,
            filter: { includedEventTypes: ['Microsoft.KeyVault.SecretExpired'] },
          },
        },
      ],
      'events of the vault local',
      /azd provision/,
    ],
    [
      'a topic that may not write to the queue',
      paths.queueRoles,
      [],
      'events of the vault local',
      /topic-principal .*"Storage Queue Data Message Sender"/,
    ],
    [
      'an authentication that turns callers away',
      paths.authentication,
      { properties: { platform: { enabled: true }, globalValidation: { unauthenticatedClientAction: 'Return401' } } },
      'sign-in',
      /AllowAnonymous/,
    ],
    [
      'an API that nobody can call',
      paths.settings,
      { properties: { ...settings, KEYTURN_API_AUDIENCE: '' } },
      'sign-in',
      /KEYTURN_API_KEYS/,
    ],
    [
      'a vault whose audit events go nowhere',
      paths.logs,
      [{ properties: { workspaceId: 'w', logs: [{ category: 'AuditEvent', enabled: false }] } }],
      'logs of the vault local',
      /azd provision/,
    ],
    [
      'a policy that would refuse what is published',
      paths.policies,
      [policy('Deny', 30)],
      'policies at the vault local',
      /"KEYTURN_VALID_FOR": "P30D"/,
    ],
    [
      'a policy that asks for more days than a new version gets',
      paths.policies,
      [least('Deny', 90)],
      'policies at the vault local',
      /"KEYTURN_VALID_FOR": "P91D"/,
    ],
    ['alert rules that are missing', ids.rules, [], 'alert rules', /azd provision/],
    ['alerts on metrics that are missing', ids.metrics, [], 'alert rules', /azd provision/],
  ])('%s', async (_, path, body, name, fix) => {
    set(path, body);
    const wrong = (await look()).filter(({ state }) => state !== 'passed');
    expect(wrong).toEqual([expect.objectContaining({ name, state: 'failed', fix: expect.stringMatching(fix) })]);
  });
});

it.each([
  ['one that only audits', [policy('Audit', 30)]],
  ['one that allows as much', [policy('Deny', 90)]],
  ['one that asks for less', [least('Deny', 89)]],
  ['one that is not enforced', [{ properties: { ...policy('Deny', 30).properties, enforcementMode: 'DoNotEnforce' } }]],
])('a policy that refuses nothing passes: %s', async (_, assignments) => {
  set(paths.policies, assignments);
  expect((await look()).filter(({ state }) => state !== 'passed')).toEqual([]);
});

describe('an initiative', () => {
  const assigned = (parameters: unknown) => {
    set(paths.policies, [{ properties: { policyDefinitionId: paths.initiative, parameters } }]);
    set(paths.initiative, {
      properties: {
        parameters: { effect: { defaultValue: 'Audit' }, days: { defaultValue: 30 } },
        policyDefinitions: [
          {
            policyDefinitionId: `${definitions}/342e8053-e12e-4c44-be01-c3c2f318400f`,
            parameters: {
              effect: { value: "[parameters('effect')]" },
              maximumValidityInDays: { value: "[parameters('days')]" },
            },
          },
        ],
      },
    });
  };
  const wrong = async () => (await look()).filter(({ state }) => state !== 'passed');

  it('that refuses by what its assignment gives, and its own default, is named', async () => {
    assigned({ effect: { value: 'Deny' } });
    expect(await wrong()).toEqual([
      expect.objectContaining({ state: 'failed', detail: expect.stringContaining('may live 30 days') }),
    ]);
  });

  it('that only audits by its default passes', async () => {
    assigned({});
    expect(await wrong()).toEqual([]);
  });

  it('that may not be read leaves the policies unknown', async () => {
    assigned({});
    azure.forbidden.add(paths.initiative.toLowerCase());
    expect(await wrong()).toEqual([expect.objectContaining({ name: 'policies', state: 'unknown' })]);
  });
});

it('a policy that asks for a content type leaves it unknown, with the line that lists secrets without one', async () => {
  const definition = `${definitions}/75262d3e-ba4a-4f43-85f8-9f72c090e5e3`;
  set(paths.policies, [{ properties: { policyDefinitionId: definition, parameters: { effect: { value: 'Deny' } } } }]);
  const wrong = (await look()).filter(({ state }) => state !== 'passed');
  expect(wrong).toEqual([
    expect.objectContaining({ state: 'unknown', fix: expect.stringContaining('contentType==null') }),
  ]);
});

// Azure's answers tell the time in whole seconds, cut off.
it.each([
  [90, /(89|90) s behind/],
  [-90, /(90|91) s ahead/],
])('a clock of the app that is off by %i s is named', async (offSeconds, how) => {
  azure.offSeconds = offSeconds;
  const wrong = (await look()).filter(({ state }) => state !== 'passed');
  expect(wrong).toEqual([
    expect.objectContaining({ name: 'clock', state: 'failed', detail: expect.stringMatching(how) }),
  ]);
});

it('what may not be looked at is unknown, and hides nothing of the rest', async () => {
  azure.forbidden.add(paths.vaultRoles.toLowerCase());
  set(ids.rules, []);
  const wrong = (await look()).filter(({ state }) => state !== 'passed');
  expect(wrong.map(({ name, state }) => `${name}: ${state}`)).toEqual(['rights: unknown', 'alert rules: failed']);
});

it('what it looks for is what the templates make', () => {
  const read = (name: string) => readFileSync(join(root, 'infra', 'modules', name), 'utf8');
  expect(vaultDataActions).toEqual(
    [...read('vault-role.bicep').matchAll(/'(Microsoft\.KeyVault\/vaults\/secrets\/\w+\/action)'/g)].map(
      ([, action]) => action,
    ),
  );
  for (const name of metricRules) expect(read('alerts.bicep')).toContain(`name: '\${name}-${name}-\${last(`);
  expect(alertRules).toEqual([...read('alerts.bicep').matchAll(/^ {4}name: '([a-z-]+)'$/gm)].map(([, name]) => name));
});
