/** Whether the app and the topics may do what they have to. Each missing right is named with the line that gives it. */
import { all, must, type Service } from '../azure.ts';
import { listAt, textAt } from '../json.ts';
import { apiVersions } from '../preflight.ts';
import type { Deployed } from './deployed.ts';
import { type Finding, failed, passed, unknown } from './finding.ts';

const secrets = 'Microsoft.KeyVault/vaults/secrets';
/** test/infra/least-privilege.test.ts holds infra/modules/vault-role.bicep to what the code calls, and this to the module. */
export const vaultDataActions: readonly string[] = [
  `${secrets}/readMetadata/action`,
  `${secrets}/getSecret/action`,
  `${secrets}/setSecret/action`,
  `${secrets}/update/action`,
  `${secrets}/recover/action`,
];

const storageRoles = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
} as const;

export function giving(role: string, principalId: string, scope: string): string {
  return `az role assignment create --assignee-object-id ${principalId} --assignee-principal-type ServicePrincipal --role "${role}" --scope "${scope}"`;
}

/** Ids of the roles that a principal has at a scope, inherited ones included. */
export async function rolesAt(manager: Service, scope: string, principalId: string): Promise<readonly string[]> {
  const filter = encodeURIComponent(`assignedTo('${principalId}')`);
  const path = `${scope}/providers/Microsoft.Authorization/roleAssignments?$filter=${filter}&api-version=${apiVersions.permissions}`;
  return (await all(manager, path)).map((one) => textAt(one, 'properties', 'roleDefinitionId'));
}

export async function examineRights(manager: Service, deployed: Deployed): Promise<readonly Finding[]> {
  const { principalId, vaults, storageId } = deployed;
  if (principalId === '') {
    const fix = 'Set AZURE_CLIENT_ID to the client id of the identity that the app has: az functionapp identity show';
    return [failed('identity', 'the app has no identity with the client id in AZURE_CLIENT_ID', fix)];
  }
  const ofVaults = await Promise.all([...vaults].map(([name, id]) => onVault(manager, principalId, name, id)));
  return [passed('identity', principalId), ...ofVaults, ...(await onStorage(manager, principalId, storageId))];
}

async function onVault(manager: Service, principalId: string, name: string, id: string): Promise<Finding> {
  const about = `rights on the vault ${name}`;
  if (id === '')
    return unknown(about, 'the vault is in another subscription, or you may not see it', `az keyvault show -n ${name}`);
  const granted = new Set<string>();
  for (const role of await rolesAt(manager, id, principalId)) {
    const { body } = await must(
      manager,
      { method: 'GET', path: `${role}?api-version=${apiVersions.permissions}` },
      200,
    );
    for (const one of listAt(body, 'properties', 'permissions'))
      for (const action of listAt(one, 'dataActions')) granted.add(String(action).toLowerCase());
  }
  const covers = (action: string) =>
    [...granted].some(
      (one) =>
        one === action.toLowerCase() || (one.endsWith('/*') && action.toLowerCase().startsWith(one.slice(0, -1))),
    );
  const missing = vaultDataActions
    .filter((action) => !covers(action))
    .map((action) => action.slice(secrets.length + 1));
  if (missing.length === 0) return passed(about, 'it may list, read, write, change and recover secrets');
  return failed(about, `it lacks ${missing.join(', ')}`, giving('Key Vault Secrets Officer', principalId, id));
}

async function onStorage(manager: Service, principalId: string, id: string): Promise<readonly Finding[]> {
  if (id === '') {
    const fix = 'az storage account show -n NAME, with the name in AzureWebJobsStorage__queueServiceUri';
    return [
      unknown('rights on the storage account', 'the account is in another subscription, or you may not see it', fix),
    ];
  }
  const roles = await rolesAt(manager, id, principalId);
  const missing = Object.entries(storageRoles).filter(([role]) => !roles.some((one) => one.endsWith(role)));
  if (missing.length === 0) return [passed('rights on the storage account', Object.values(storageRoles).join(', '))];
  return missing.map(([, role]) =>
    failed('rights on the storage account', `it lacks ${role}`, giving(role, principalId, id)),
  );
}
