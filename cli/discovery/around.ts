/** What stands around the vaults: app registrations with client secrets, and Azure resources with keys. */
import { listAt, textAt } from '../../infra/hooks/json.ts';
import { type AzureServices, type Looked, listed } from './azure.ts';
import { type Blind, type Finding, risksOfTimes } from './finding.ts';
import type { Fingerprints, FoundVault, HeldSecret } from './vaults.ts';

const subscriptionsVersion = 'api-version=2022-12-01';
const vaultsVersion = 'api-version=2026-02-01';
const resourcesVersion = 'api-version=2021-04-01';

interface Found<Item> {
  readonly found: readonly Item[];
  readonly blind: readonly Blind[];
}

/** `only`: one subscription; absent: all that the identity sees. */
export async function findSubscriptions({ manager }: AzureServices, only: string | undefined): Promise<Found<string>> {
  if (only !== undefined) return { found: [only], blind: [] };
  const list = await listed(manager, `/subscriptions?${subscriptionsVersion}`, { what: 'the subscriptions' });
  return foundOf(list, (entry) => [textAt(entry, 'subscriptionId')].filter((id) => id !== ''));
}

export async function findVaults({ manager }: AzureServices, subscription: string): Promise<Found<FoundVault>> {
  const path = `/subscriptions/${subscription}/providers/Microsoft.KeyVault/vaults?${vaultsVersion}`;
  const list = await listed(manager, path, { what: `the vaults of subscription ${subscription}` });
  return foundOf(list, (entry) => {
    const [name, uri] = [textAt(entry, 'name'), textAt(entry, 'properties', 'vaultUri')];
    return name === '' || uri === '' ? [] : [{ name, uri }];
  });
}

function foundOf<Item>(list: Looked<readonly unknown[]>, read: (entry: unknown) => readonly Item[]): Found<Item> {
  return list.kind === 'blind' ? { found: [], blind: [list.blind] } : { found: list.value.flatMap(read), blind: [] };
}

/** Client secrets of app registrations. One that stands in a vault is told with it; the others are told by whom they are. */
export async function lookAtApplications(
  { graph }: AzureServices,
  secrets: readonly HeldSecret[],
  now: Date,
): Promise<{ readonly findings: readonly Finding[]; readonly blind: readonly Blind[] }> {
  const path = '/v1.0/applications?$select=id,appId,displayName,passwordCredentials&$top=999';
  const list = await listed(graph, path, {
    what: 'the app registrations',
    fix: 'Ask for the directory role "Directory Readers", or for Application.Read.All.',
  });
  if (list.kind === 'blind') return { findings: [], blind: [list.blind] };
  const tagged = secrets.map(({ tags }) => Object.values(tags).join(' ').toLowerCase());
  const isIn = (id: string): boolean => id !== '' && tagged.some((text) => text.includes(id.toLowerCase()));
  const findings = list.value.flatMap((entry): readonly Finding[] => {
    const credentials = listAt(entry, 'passwordCredentials');
    if (credentials.length === 0) return [];
    const [appId, name] = [textAt(entry, 'appId'), textAt(entry, 'displayName')];
    const isHeld = isIn(appId) || credentials.some((one) => isIn(textAt(one, 'keyId')));
    return [applicationOf(name === '' ? appId : `${name} (${appId})`, credentials, isHeld, now)];
  });
  return { findings, blind: [] };
}

/** The one that ends last decides: whoever uses an earlier one has a successor already. */
function applicationOf(name: string, credentials: readonly unknown[], isHeld: boolean, now: Date): Finding {
  const ends = credentials.map((one) => textAt(one, 'endDateTime')).sort();
  const expiresAt = ends.at(-1) ?? '';
  const over = ends.filter((end) => end !== '' && Date.parse(end) <= now.getTime()).length;
  const count = credentials.length;
  return {
    ...{
      what: 'application',
      name,
      kind: `${count} client ${count === 1 ? 'secret' : 'secrets'}`,
      rotator: 'entra-app',
    },
    renewedBy: isHeld ? 'see its secret' : 'nobody',
    ...(expiresAt === '' ? {} : { expiresAt }),
    risks: [...risksOfTimes(expiresAt === '' ? {} : { expiresAt }, now), ...(isHeld ? [] : ['in-no-vault' as const])],
    notes: over === 0 ? [] : [`${over} of ${count} ended already and can be removed.`],
  };
}

/** Types of resources that have keys: those that azure-keys rotates, or the resource that they are part of. Lower case. */
const typesWithKeys: ReadonlySet<string> = new Set([
  'microsoft.apimanagement/service',
  'microsoft.appconfiguration/configurationstores',
  'microsoft.batch/batchaccounts',
  'microsoft.cache/redis',
  'microsoft.cache/redisenterprise',
  'microsoft.cognitiveservices/accounts',
  'microsoft.containerregistry/registries',
  'microsoft.documentdb/databaseaccounts',
  'microsoft.eventgrid/domains',
  'microsoft.eventgrid/topics',
  'microsoft.eventhub/namespaces',
  'microsoft.maps/accounts',
  'microsoft.notificationhubs/namespaces',
  'microsoft.relay/namespaces',
  'microsoft.search/searchservices',
  'microsoft.servicebus/namespaces',
  'microsoft.signalrservice/signalr',
  'microsoft.signalrservice/webpubsub',
  'microsoft.storage/storageaccounts',
]);

/** Resources whose keys stand in no vault that was looked at: whoever uses them has them from somewhere else. */
export async function lookAtResources(
  { manager }: AzureServices,
  subscription: string,
  secrets: readonly HeldSecret[],
  prints: Fingerprints,
): Promise<{ readonly findings: readonly Finding[]; readonly blind: readonly Blind[] }> {
  const path = `/subscriptions/${subscription}/resources?${resourcesVersion}`;
  const list = await listed(manager, path, { what: `the resources of subscription ${subscription}` });
  if (list.kind === 'blind') return { findings: [], blind: [list.blind] };
  const tagged = secrets.map(({ tags }) => Object.values(tags).join(' ').toLowerCase());
  const findings = list.value.flatMap((entry): readonly Finding[] => {
    const [id, name, type] = ['id', 'name', 'type'].map((field) => textAt(entry, field));
    if (id === undefined || name === undefined || type === undefined || !typesWithKeys.has(type.toLowerCase()))
      return [];
    const print = prints.of(name.toLowerCase());
    const isHeld =
      tagged.some((text) => text.includes(id.toLowerCase())) || secrets.some(({ names }) => names?.has(print));
    if (isHeld) return [];
    const finding = { what: 'resource', name: id, kind: `keys of ${type}`, rotator: 'azure-keys' } as const;
    return [{ ...finding, renewedBy: 'nobody', risks: ['in-no-vault'], notes: [] }];
  });
  return { findings, blind: [] };
}
