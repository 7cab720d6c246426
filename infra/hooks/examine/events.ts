/** Whether the events of each vault reach the app. */
import { all, type Service } from '../azure.ts';
import { at, listAt, textAt } from '../json.ts';
import { apiVersions } from '../preflight.ts';
import type { Deployed } from './deployed.ts';
import { type Finding, failed, passed } from './finding.ts';
import { giving, rolesAt } from './rights.ts';

const wanted = [
  'Microsoft.KeyVault.SecretNearExpiry',
  'Microsoft.KeyVault.SecretExpired',
  'Microsoft.KeyVault.SecretNewVersionCreated',
];
const queue = 'secret-events';
const messageSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a';
const again = 'Deploy again: azd provision';

export async function examineEvents(manager: Service, deployed: Deployed): Promise<readonly Finding[]> {
  const version = `api-version=${apiVersions.eventGrid}`;
  const topics = await all(manager, `${deployed.subscription}/providers/Microsoft.EventGrid/systemTopics?${version}`);
  const known = [...deployed.vaults].filter(([, id]) => id !== '');
  return Promise.all(
    known.map(async ([name, id]) => {
      const about = `events of the vault ${name}`;
      const topic = topics.find((one) => textAt(one, 'properties', 'source').toLowerCase() === id.toLowerCase());
      if (topic === undefined) return failed(about, 'the vault has no system topic', again);
      const subscriptions = await all(manager, `${textAt(topic, 'id')}/eventSubscriptions?${version}`);
      const own = subscriptions.find((one) => leadsTo(one, deployed));
      if (own === undefined)
        return failed(about, `no subscription of ${textAt(topic, 'name')} leads to this app`, again);
      return healthy(manager, about, topic, own, deployed);
    }),
  );
}

/** To the queue of this app, or to the function that takes events itself. */
function leadsTo(subscription: unknown, { storageId, siteId }: Deployed): boolean {
  const byIdentity = at(subscription, 'properties', 'deliveryWithResourceIdentity', 'destination');
  const destination = byIdentity ?? at(subscription, 'properties', 'destination');
  const target = textAt(destination, 'properties', 'resourceId').toLowerCase();
  if (textAt(destination, 'endpointType') === 'StorageQueue')
    return target === storageId.toLowerCase() && textAt(destination, 'properties', 'queueName') === queue;
  return target === `${siteId}/functions/onSecretEvent`.toLowerCase();
}

async function healthy(
  manager: Service,
  about: string,
  topic: unknown,
  subscription: unknown,
  { storageId }: Deployed,
): Promise<Finding> {
  const state = textAt(subscription, 'properties', 'provisioningState');
  if (state !== 'Succeeded') return failed(about, `its subscription is in the state ${state || 'unknown'}`, again);
  const included = listAt(subscription, 'properties', 'filter', 'includedEventTypes');
  const missing = wanted.filter((type) => !included.includes(type));
  if (missing.length > 0) return failed(about, `its subscription leaves out ${missing.join(', ')}`, again);
  if (at(subscription, 'properties', 'deliveryWithResourceIdentity') === undefined)
    return passed(about, 'they go to the function onSecretEvent');
  const principalId = textAt(topic, 'identity', 'principalId');
  const scope = `${storageId}/queueServices/default/queues/${queue}`;
  const roles = await rolesAt(manager, scope, principalId);
  if (roles.some((role) => role.endsWith(messageSender))) return passed(about, `they go to the queue ${queue}`);
  return failed(
    about,
    'the topic may not write to the queue',
    giving('Storage Queue Data Message Sender', principalId, scope),
  );
}
