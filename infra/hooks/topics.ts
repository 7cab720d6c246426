/**
 * Event Grid allows one system topic for a vault. One that is there is used, and gets a system-assigned identity if it has none; identities
 * that it has stay.
 */
import { type Azure, all, must } from './azure.ts';
import { at, textAt } from './json.ts';
import { apiVersions } from './preflight.ts';
import { vaultId, type WantedVault } from './wanted.ts';

/** The vaults with the topics that they have. May be called again. */
export async function findTopics(azure: Azure, vaults: readonly WantedVault[]): Promise<readonly WantedVault[]> {
  const found: WantedVault[] = [];
  for (const vault of vaults) {
    const path = `/subscriptions/${vault.subscriptionId}/providers/Microsoft.EventGrid/systemTopics?api-version=${apiVersions.eventGrid}`;
    const topics = await all(azure.manager, path);
    const own = topics.find(
      (one) => textAt(one, 'properties', 'source').toLowerCase() === vaultId(vault).toLowerCase(),
    );
    if (own === undefined) {
      found.push({ ...vault, systemTopicName: '', systemTopicResourceGroup: '' });
      continue;
    }
    await giveIdentity(azure, own);
    const [, resourceGroup = ''] = /\/resourceGroups\/([^/]+)\//i.exec(textAt(own, 'id')) ?? [];
    found.push({ ...vault, systemTopicName: textAt(own, 'name'), systemTopicResourceGroup: resourceGroup });
  }
  return found;
}

async function giveIdentity({ manager }: Azure, topic: unknown): Promise<void> {
  const type = textAt(topic, 'identity', 'type') || 'None';
  if (type.includes('SystemAssigned')) return;
  const users = at(topic, 'identity', 'userAssignedIdentities');
  const names = typeof users === 'object' && users !== null ? Object.keys(users) : [];
  const identity =
    names.length === 0
      ? { type: 'SystemAssigned' }
      : {
          type: 'SystemAssigned, UserAssigned',
          userAssignedIdentities: Object.fromEntries(names.map((name) => [name, {}])),
        };
  const path = `${textAt(topic, 'id')}?api-version=${apiVersions.eventGrid}`;
  await must(manager, { method: 'PATCH', path, body: { identity } }, 200, 201, 202);
}
