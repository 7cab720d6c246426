/** What would stop the deployment half-way, said before anything is made. Changes nothing. */
import { type Azure, all } from './azure.ts';
import { at, listAt, textAt } from './json.ts';
import { vaultId, type Wanted, type WantedVault } from './wanted.ts';

export interface Problem {
  readonly what: string;
  /** A line to paste, or what to decide. */
  readonly fix: string;
}

export const apiVersions = {
  subscriptions: '2022-12-01',
  permissions: '2022-04-01',
  providers: '2025-04-01',
  vaults: '2026-02-01',
  web: '2025-03-01',
  eventGrid: '2025-02-15',
} as const;

const providers = [
  ...['Microsoft.Web', 'Microsoft.App', 'Microsoft.Storage', 'Microsoft.KeyVault', 'Microsoft.EventGrid'],
  ...['Microsoft.ManagedIdentity', 'Microsoft.Insights', 'Microsoft.OperationalInsights'],
];

const subscriptionRights = (customRole: boolean): readonly string[] => [
  'Microsoft.Resources/deployments/write',
  'Microsoft.Resources/subscriptions/resourceGroups/write',
  'Microsoft.Authorization/roleAssignments/write',
  ...(customRole ? ['Microsoft.Authorization/roleDefinitions/write'] : []),
];

const vaultRights: readonly string[] = [
  'Microsoft.Resources/deployments/write',
  'Microsoft.Authorization/roleAssignments/write',
  'Microsoft.EventGrid/systemTopics/write',
  'Microsoft.Insights/diagnosticSettings/write',
];

/** Every problem at once, none where the deployment can begin. Rejects where Azure cannot be asked. */
export async function preflight(azure: Azure, wanted: Wanted): Promise<readonly Problem[]> {
  const subscription = `/subscriptions/${wanted.subscriptionId}`;
  const own = await azure.manager.ask({
    method: 'GET',
    path: `${subscription}?api-version=${apiVersions.subscriptions}`,
  });
  if (own.status !== 200) {
    return [
      {
        what: `The subscription ${wanted.subscriptionId} cannot be read (${own.status}): it is another tenant's, or you have no role in it.`,
        fix: 'az login --tenant TENANT && azd auth login --tenant-id TENANT',
      },
    ];
  }
  const tenant = textAt(own.body, 'tenantId');
  const found = await Promise.all([
    missingProviders(azure, subscription),
    missingRights(
      azure,
      subscription,
      subscriptionRights(wanted.customRole),
      `the subscription ${wanted.subscriptionId}`,
    ),
    regionProblems(azure, wanted),
    nameProblems(azure, wanted),
    ...wanted.vaults.map((vault) => vaultProblems(azure, vault, tenant)),
  ]);
  return found.flat();
}

async function missingProviders({ manager }: Azure, subscription: string): Promise<readonly Problem[]> {
  const known = await all(manager, `${subscription}/providers?api-version=${apiVersions.providers}`);
  const registered = new Set(
    known.flatMap((one) =>
      textAt(one, 'registrationState') === 'Registered' ? [textAt(one, 'namespace').toLowerCase()] : [],
    ),
  );
  const missing = providers.filter((name) => !registered.has(name.toLowerCase()));
  return missing.map((name) => ({
    what: `The subscription does not know the resource provider ${name} yet.`,
    fix: `az provider register --wait -n ${name}`,
  }));
}

/** Rights that whoever is signed in lacks at a scope. */
async function missingRights(
  { manager }: Azure,
  scope: string,
  rights: readonly string[],
  where: string,
): Promise<readonly Problem[]> {
  const path = `${scope}/providers/Microsoft.Authorization/permissions?api-version=${apiVersions.permissions}`;
  const granted = await all(manager, path);
  const missing = rights.filter((right) => !granted.some((one) => allows(one, right)));
  if (missing.length === 0) return [];
  const role = missing.some((right) => right.startsWith('Microsoft.Authorization/')) ? 'Owner' : 'Contributor';
  const custom = missing.includes('Microsoft.Authorization/roleDefinitions/write')
    ? ' Or, where custom roles are not allowed: azd env set KEYTURN_DEPLOY_VAULT_ROLE built-in'
    : '';
  return [
    {
      what: `You lack rights at ${where}: ${missing.join(', ')}.`,
      fix: `Somebody who may runs: az role assignment create --assignee "$(az ad signed-in-user show --query id -o tsv)" --role "${role}" --scope "${scope}".${custom}`,
    },
  ];
}

function allows(permission: unknown, right: string): boolean {
  const covers = (pattern: unknown): boolean =>
    typeof pattern === 'string' &&
    new RegExp(
      `^${pattern
        .split('*')
        .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
      'i',
    ).test(right);
  return listAt(permission, 'actions').some(covers) && !listAt(permission, 'notActions').some(covers);
}

async function regionProblems({ manager }: Azure, { subscriptionId, location }: Wanted): Promise<readonly Problem[]> {
  const path = `/subscriptions/${subscriptionId}/providers/Microsoft.Web/geoRegions?sku=FlexConsumption&api-version=${apiVersions.web}`;
  const plain = (name: string): string => name.replaceAll(' ', '').toLowerCase();
  const regions = (await all(manager, path)).map((one) => plain(textAt(one, 'name')));
  if (regions.includes(plain(location))) return [];
  return [
    {
      what: `The region ${location} has no Flex Consumption.`,
      fix: `azd env set AZURE_LOCATION REGION, with one of: ${regions.toSorted().join(', ')}`,
    },
  ];
}

async function nameProblems(
  { manager }: Azure,
  { environment, subscriptionId, newVault }: Wanted,
): Promise<readonly Problem[]> {
  if (newVault === '') return [];
  const subscription = `/subscriptions/${subscriptionId}`;
  // A second deployment finds the vault that the first one made.
  const own = `${subscription}/resourceGroups/rg-${environment}/providers/Microsoft.KeyVault/vaults/${newVault}`;
  const known = await manager.ask({ method: 'GET', path: `${own}?api-version=${apiVersions.vaults}` });
  if (known.status === 200) return [];
  const { body } = await manager.ask({
    method: 'POST',
    path: `${subscription}/providers/Microsoft.KeyVault/checkNameAvailability?api-version=${apiVersions.vaults}`,
    body: { name: newVault, type: 'Microsoft.KeyVault/vaults' },
  });
  if (at(body, 'nameAvailable') === true) return [];
  return [
    {
      what: `No vault can be called ${newVault}: ${textAt(body, 'message') || 'the name is taken, perhaps by a deleted vault'}`,
      fix: 'azd env set KEYTURN_DEPLOY_NEW_VAULT ANOTHER-NAME, or look for a deleted one: az keyvault list-deleted --resource-type vault',
    },
  ];
}

async function vaultProblems(azure: Azure, vault: WantedVault, tenant: string): Promise<readonly Problem[]> {
  const id = vaultId(vault);
  const { status, body } = await azure.manager.ask({ method: 'GET', path: `${id}?api-version=${apiVersions.vaults}` });
  if (status !== 200) {
    return [
      {
        what: `The vault ${vault.name} was not found in the resource group ${vault.resourceGroup} (${status}).`,
        fix: `az keyvault show -n ${vault.name} --query "{id: id, tenant: properties.tenantId}", then correct KEYTURN_DEPLOY_VAULTS`,
      },
    ];
  }
  const problems: Problem[] = [];
  const its = textAt(body, 'properties', 'tenantId');
  if (its.toLowerCase() !== tenant.toLowerCase()) {
    problems.push({
      what: `The vault ${vault.name} belongs to another tenant (${its}), where the app's identity does not exist.`,
      fix: 'Deploy Keyturn in that tenant, and take the vault out of KEYTURN_DEPLOY_VAULTS here.',
    });
  }
  if (at(body, 'properties', 'enableRbacAuthorization') !== true) {
    problems.push({
      what: `The vault ${vault.name} uses access policies: roles are of no effect there.`,
      fix: `Give everybody in "az keyvault show -n ${vault.name} --query properties.accessPolicies" a role first, then: az keyvault update -n ${vault.name} --enable-rbac-authorization true`,
    });
  }
  return [...problems, ...(await missingRights(azure, id, vaultRights, `the vault ${vault.name}`))];
}
