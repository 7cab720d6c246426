/** What is deployed, as the app's own resource and settings say it. */
import { all, must, type Service } from '../azure.ts';
import { at, textAt } from '../json.ts';
import { apiVersions } from '../preflight.ts';

export interface Deployed {
  readonly siteId: string;
  readonly site: unknown;
  readonly subscription: string;
  /** Of the resource group. */
  readonly group: string;
  readonly settings: Readonly<Record<string, string>>;
  /** The identity that AZURE_CLIENT_ID names; empty: the app has none of that client id. */
  readonly principalId: string;
  /** Vaults of the app by name, with their resource id; empty where the subscription does not show it. */
  readonly vaults: ReadonlyMap<string, string>;
  /** Empty where the subscription does not show it. */
  readonly storageId: string;
}

/** Rejects where the app cannot be read or its settings cannot be listed. */
export async function deployedAs(manager: Service, siteId: string): Promise<Deployed> {
  const subscription = siteId.split('/').slice(0, 3).join('/');
  const site = (await must(manager, { method: 'GET', path: `${siteId}?api-version=${apiVersions.web}` }, 200)).body;
  const list = { method: 'POST', path: `${siteId}/config/appsettings/list?api-version=${apiVersions.web}` } as const;
  const properties = at((await must(manager, list, 200)).body, 'properties');
  const settings = Object.fromEntries(
    Object.entries(typeof properties === 'object' && properties !== null ? properties : {}).map(([name, value]) => [
      name,
      String(value),
    ]),
  );
  const identities = Object.values(Object(at(site, 'identity', 'userAssignedIdentities')));
  const own = identities.find((one) => textAt(one, 'clientId') === settings['AZURE_CLIENT_ID']);
  return {
    ...{ siteId, site, subscription, settings, group: siteId.split('/').slice(0, 5).join('/') },
    principalId: textAt(own, 'principalId'),
    vaults: await vaultsOf(manager, subscription, settings['KEYTURN_VAULTS'] ?? ''),
    storageId: await storageOf(manager, subscription, settings['AzureWebJobsStorage__queueServiceUri'] ?? ''),
  };
}

async function vaultsOf(manager: Service, subscription: string, setting: string): Promise<ReadonlyMap<string, string>> {
  const names = setting.split(/[\s,]+/).flatMap((address) => URL.parse(address)?.hostname.split('.')[0] ?? []);
  const known = await all(
    manager,
    `${subscription}/providers/Microsoft.KeyVault/vaults?api-version=${apiVersions.vaults}`,
  );
  const idOf = (name: string) =>
    textAt(
      known.find((one) => textAt(one, 'name').toLowerCase() === name),
      'id',
    );
  return new Map(names.map((name) => [name, idOf(name.toLowerCase())]));
}

async function storageOf(manager: Service, subscription: string, queueUri: string): Promise<string> {
  const name = URL.parse(queueUri)?.hostname.split('.')[0] ?? '';
  const path = `${subscription}/providers/Microsoft.Storage/storageAccounts?api-version=2025-06-01`;
  return textAt(
    (await all(manager, path)).find((one) => textAt(one, 'name') === name),
    'id',
  );
}
