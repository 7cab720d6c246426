/** What azd calls before and after the templates, against a Resource Manager and a Graph over HTTP. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serviceAt } from '../../infra/hooks/azure.ts';
import { afterProvision, beforeProvision, leftBehind, type World } from '../../infra/hooks/steps.ts';
import { type DeploymentStandIn, startDeployment } from '../../local/providers/deployment.ts';
import { root } from '../tidy/files.ts';

const subscriptionId = '33333333-3333-3333-3333-333333333333';
const idOf = (name: string, group = 'shared-rg') =>
  `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/${name}`;
const one = JSON.stringify([{ name: 'contoso-kv', resourceGroup: 'shared-rg' }]);

let azure: DeploymentStandIn;
let kept: Map<string, string>;
let said: string[];
beforeEach(async () => {
  azure = await startDeployment();
  azure.subscription.vaults.set(idOf('contoso-kv').toLowerCase(), {
    tenantId: azure.subscription.tenantId,
    rbac: true,
  });
  kept = new Map();
  said = [];
});
afterEach(() => azure.close());

function world(env: Readonly<Record<string, string>> = {}): World {
  const service = serviceAt(azure.url, async () => azure.token);
  return {
    azure: { manager: service, graph: service },
    env: { AZURE_SUBSCRIPTION_ID: subscriptionId, AZURE_ENV_NAME: 'prod', AZURE_LOCATION: 'westeurope', ...env },
    say: (line) => void said.push(line),
    keep: async (name, value) => void kept.set(name, value),
    readRunbook: () => readFile(join(root, 'runbooks', 'rotate_secret.py'), 'utf8'),
  };
}

/** Requests that change something. A check of a name changes nothing. */
const changes = () =>
  azure.requests
    .filter(({ method, path }) => method !== 'GET' && !path.includes('checkNameAvailability'))
    .map(({ method, path }) => `${method} ${path.split('?')[0]}`);

/** The hook stops, names the problem with a line to paste, and changes nothing. */
async function expectProblem(env: Readonly<Record<string, string>>, what: RegExp, fix: RegExp): Promise<void> {
  expect(await beforeProvision(world(env))).toBe(false);
  const text = said.join('\n');
  expect(text).toMatch(what);
  expect(text).toMatch(fix);
  expect(changes()).toEqual([]);
  expect(kept.size).toBe(0);
}

describe('before anything is made', () => {
  it('somebody who may not give rights is told so, with the line for somebody who may', async () => {
    azure.subscription.rights = { '': ['Microsoft.Resources/*', 'Microsoft.Web/*'] };
    await expectProblem(
      {},
      /Microsoft\.Authorization\/roleAssignments\/write/,
      /az role assignment create .*--role "Owner"/,
    );
  });

  it('somebody who may not make custom roles is told of the built-in one, and needs no more for it', async () => {
    azure.subscription.rights = { '': ['Microsoft.Resources/*', 'Microsoft.Authorization/roleAssignments/*'] };
    await expectProblem({}, /roleDefinitions\/write/, /KEYTURN_DEPLOY_VAULT_ROLE built-in/);
    said = [];
    expect(await beforeProvision(world({ KEYTURN_DEPLOY_VAULT_ROLE: 'built-in' }))).toBe(true);
  });

  it('a right that is missing at a vault alone is named with the vault', async () => {
    azure.subscription.rights = { '': ['*'], [idOf('contoso-kv').toLowerCase()]: ['Microsoft.KeyVault/vaults/read'] };
    await expectProblem(
      { KEYTURN_DEPLOY_VAULTS: one },
      /the vault contoso-kv: .*systemTopics\/write/,
      /--scope "\/subscriptions.*contoso-kv"/,
    );
  });

  it('a region without Flex Consumption is named with those that have it', async () => {
    await expectProblem(
      { AZURE_LOCATION: 'polandsouth' },
      /polandsouth has no Flex Consumption/,
      /AZURE_LOCATION REGION.*eastus, westeurope/,
    );
  });

  it('the name of a vault that is taken is named, but not when this deployment took it', async () => {
    azure.subscription.takenNames = ['contoso-new'];
    await expectProblem(
      { KEYTURN_DEPLOY_NEW_VAULT: 'contoso-new' },
      /No vault can be called contoso-new/,
      /KEYTURN_DEPLOY_NEW_VAULT/,
    );
    azure.subscription.vaults.set(idOf('contoso-new', 'rg-prod').toLowerCase(), {
      tenantId: azure.subscription.tenantId,
      rbac: true,
    });
    expect(await beforeProvision(world({ KEYTURN_DEPLOY_NEW_VAULT: 'contoso-new' }))).toBe(true);
  });

  it('a vault of another tenant is named', async () => {
    azure.subscription.vaults.set(idOf('contoso-kv').toLowerCase(), { tenantId: 'other-tenant', rbac: true });
    await expectProblem(
      { KEYTURN_DEPLOY_VAULTS: one },
      /contoso-kv belongs to another tenant/,
      /Deploy Keyturn in that tenant/,
    );
  });

  it('a vault with access policies is named, with the line that changes it', async () => {
    azure.subscription.vaults.set(idOf('contoso-kv').toLowerCase(), {
      tenantId: azure.subscription.tenantId,
      rbac: false,
    });
    await expectProblem(
      { KEYTURN_DEPLOY_VAULTS: one },
      /uses access policies/,
      /az keyvault update -n contoso-kv --enable-rbac-authorization true/,
    );
  });

  it('a vault that is not there and a provider that is not registered are named together', async () => {
    azure.subscription.providers = azure.subscription.providers.filter((name) => name !== 'Microsoft.EventGrid');
    const missing = JSON.stringify([{ name: 'nowhere-kv', resourceGroup: 'shared-rg' }]);
    await expectProblem(
      { KEYTURN_DEPLOY_VAULTS: missing },
      /2 things stand[\s\S]*nowhere-kv was not found/,
      /az provider register --wait -n Microsoft\.EventGrid/,
    );
  });
});

describe('a system topic that a vault has already', () => {
  const users = {
    '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/theirs': {},
  };
  const id = `/subscriptions/${subscriptionId}/resourceGroups/events-rg/providers/Microsoft.EventGrid/systemTopics/theirs`;
  const add = (identity: DeploymentStandIn['subscription']['topics'][number]['identity']) =>
    azure.subscription.topics.push({ id, name: 'theirs', source: idOf('Contoso-KV'), identity });

  it('is used, and gets an identity beside those that it has', async () => {
    add({ type: 'UserAssigned', userAssignedIdentities: users });
    expect(await beforeProvision(world({ KEYTURN_DEPLOY_VAULTS: one }))).toBe(true);
    expect(JSON.parse(kept.get('KEYTURN_DEPLOY_VAULTS') ?? '')).toEqual([
      expect.objectContaining({ name: 'contoso-kv', systemTopicName: 'theirs', systemTopicResourceGroup: 'events-rg' }),
    ]);
    expect(azure.subscription.topics[0]?.identity).toEqual({
      type: 'SystemAssigned, UserAssigned',
      userAssignedIdentities: users,
    });
  });

  it('with an identity of its own is left alone', async () => {
    add({ type: 'SystemAssigned' });
    expect(await beforeProvision(world({ KEYTURN_DEPLOY_VAULTS: one, KEYTURN_DEPLOY_SIGN_IN: 'keys' }))).toBe(true);
    expect(changes()).toEqual([]);
  });
});

describe('the application that people sign in to', () => {
  it('has the four roles, and the Azure command line may ask for its tokens', async () => {
    expect(await beforeProvision(world())).toBe(true);
    const [application] = azure.directory.applications;
    expect(application).toMatchObject({
      signInAudience: 'AzureADMyOrg',
      identifierUris: [`api://${application?.['appId']}`],
      api: {
        requestedAccessTokenVersion: 2,
        preAuthorizedApplications: [{ appId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46' }],
      },
    });
    expect(JSON.stringify(application?.['appRoles'])).toMatch(
      /Keyturn\.Reader.*Keyturn\.Operator.*Keyturn\.Emergency.*Keyturn\.Consumer/,
    );
    expect(kept.get('KEYTURN_DEPLOY_CLIENT_ID')).toBe(application?.['appId']);
    expect(azure.directory.principals).toEqual([expect.objectContaining({ appId: application?.['appId'] })]);
  });

  it('is made once: every step run again changes nothing', async () => {
    const env = { KEYTURN_DEPLOY_VAULTS: one };
    await beforeProvision(world(env));
    await afterProvision(world(env));
    const before = changes().length;
    const directory = structuredClone(azure.directory);
    await beforeProvision(world(env));
    await afterProvision(world(env));
    expect(changes()).toHaveLength(before);
    expect(azure.directory).toEqual(directory);
  });

  it('keeps a role and a permission that somebody else has added', async () => {
    await beforeProvision(world());
    const [application] = azure.directory.applications;
    Object.assign(application ?? {}, {
      appRoles: [{ id: 'theirs', value: 'Audit.Reader' }],
      api: { preAuthorizedApplications: [{ appId: 'theirs' }] },
    });
    await beforeProvision(world());
    expect(JSON.stringify(application?.['appRoles'])).toMatch(/Audit\.Reader.*Keyturn\.Reader/);
    expect(JSON.stringify(application?.['api'])).toContain('"theirs"');
  });
});

describe('after everything is made', () => {
  it('whoever deployed may operate, and so may the runbook, which is published', async () => {
    await beforeProvision(world());
    await afterProvision(world({ KEYTURN_AUTOMATION_ACCOUNT: 'keyturn-abc' }));
    const who = azure.directory.assigned.map(({ principalId }) => principalId);
    expect(who).toEqual([azure.directory.me?.id, '77777777-7777-7777-7777-777777777777']);
    const [published] = [...azure.subscription.runbooks].filter(([path]) => path.endsWith('/runbooks/rotate_secret'));
    expect(published?.[1]).toBe(await readFile(join(root, 'runbooks', 'rotate_secret.py'), 'utf8'));
  });

  it('a pipeline, which has no profile, is given no role by itself', async () => {
    await beforeProvision(world());
    azure.directory.me = undefined;
    await afterProvision(world());
    expect(azure.directory.assigned).toEqual([]);
  });
});

it('what "azd down" leaves is said as lines to paste: rights, subscriptions, settings and the application', async () => {
  azure.subscription.assignments.set(idOf('contoso-kv').toLowerCase(), [
    `${idOf('contoso-kv')}/providers/Microsoft.Authorization/roleAssignments/r1`,
  ]);
  await leftBehind(
    world({ KEYTURN_DEPLOY_VAULTS: one, KEYTURN_APP_NAME: 'keyturn-abc', KEYTURN_DEPLOY_CLIENT_ID: 'c1' }),
  );
  expect(said).toEqual([
    expect.stringMatching(/^# .*sh left-behind\.sh$/),
    expect.stringMatching(/^az role assignment delete --ids .*\/r1$/),
    `az eventgrid system-topic event-subscription delete --yes --subscription ${subscriptionId} -g shared-rg --system-topic-name contoso-kv-events -n keyturn-abc`,
    `az eventgrid system-topic event-subscription delete --yes --subscription ${subscriptionId} -g shared-rg --system-topic-name contoso-kv-events -n keyturn-abc-expired`,
    expect.stringMatching(/^az monitor diagnostic-settings delete --resource .*contoso-kv -n keyturn$/),
    'az role definition delete --name "Keyturn abc"',
    'az ad app delete --id c1',
  ]);
  expect(changes()).toEqual([]);
});

describe('the process that azd starts', () => {
  let tools: string;
  beforeEach(async () => {
    tools = await mkdtemp(join(tmpdir(), 'keyturn-hooks-'));
    const az = `#!/bin/sh\n[ "$2" = get-access-token ] && echo '{"accessToken": "${azure.token}"}'\n`;
    const azd = `#!/bin/sh\necho "$*" >> "${tools}/kept"\n`;
    for (const [name, text] of [
      ['az', az],
      ['azd', azd],
    ] as const) {
      await writeFile(join(tools, name), text);
      await chmod(join(tools, name), 0o755);
    }
  });
  afterEach(() => rm(tools, { recursive: true, force: true }));

  const hook = async (step: string, env: Readonly<Record<string, string>> = {}) => {
    const environment = {
      ...{
        PATH: `${tools}:/usr/bin:/bin`,
        AZURE_SUBSCRIPTION_ID: subscriptionId,
        AZURE_ENV_NAME: 'prod',
        AZURE_LOCATION: 'westeurope',
      },
      ...{ AZURE_RESOURCE_MANAGER_URL: azure.url, AZURE_GRAPH_URL: azure.url, ...env },
    };
    const run = promisify(execFile)(process.execPath, [join(root, 'infra', 'hooks', 'main.ts'), step], {
      env: environment,
    });
    return run.then(
      ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        text: error.stdout + error.stderr,
      }),
    );
  };

  it('keeps what it found in the environment of azd, and prints no token', async () => {
    const { code, text } = await hook('preprovision', { KEYTURN_DEPLOY_VAULTS: one });
    expect([code, text]).toEqual([0, expect.stringContaining('Preflight')]);
    expect(text).not.toContain(azure.token);
    expect(await readFile(join(tools, 'kept'), 'utf8')).toMatch(
      /env set KEYTURN_DEPLOY_VAULTS \[.*\]\nenv set KEYTURN_DEPLOY_CLIENT_ID /,
    );
  });

  it('ends with 1 where something stands in the way, so that azd goes no further', async () => {
    azure.subscription.regions = [];
    expect(await hook('preprovision')).toMatchObject({ code: 1, text: expect.stringContaining('no Flex Consumption') });
  });

  it('ends with 1 and says how to sign in where az is not there', async () => {
    await rm(join(tools, 'az'));
    expect(await hook('preflight', { PATH: tools })).toMatchObject({
      code: 1,
      text: expect.stringContaining('az login'),
    });
  });

  it('names its steps to whoever calls it without one', async () => {
    expect(await hook('nothing')).toMatchObject({ code: 2, text: expect.stringContaining('preprovision') });
  });
});

it('azure.yaml calls files that are there, with steps that they know, on each system', async () => {
  const text = await readFile(join(root, 'azure.yaml'), 'utf8');
  const calls = [...text.matchAll(/run: node (\S+) (\S+?)[,\s]/g)].map(([, file = '', step = '']) => `${file} ${step}`);
  expect(
    calls.filter(
      (call) =>
        !/^infra\/hooks\/main\.ts (?:preprovision|postprovision|left-behind)$|^cli\/keyturn\.js selftest$/.test(call),
    ),
  ).toEqual([]);
  expect(calls.length % 2).toBe(0);
  expect(calls.length).toBeGreaterThanOrEqual(6);
  expect(text).toMatch(/project: dist\n/);
});
