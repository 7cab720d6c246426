/** What tells consumers and people, put together. */
import type { Settings } from '../shared/config/settings.ts';
import type { EngineDependencies } from '../shared/engine/running/dependencies.ts';
import { libraryClient, makeWire } from '../shared/http/client.ts';
import { channelSecrets } from '../shared/notify/channel-secrets.ts';
import { linking } from '../shared/notify/linking.ts';
import { makeNotifier, type Notifier, type NotifierDependencies } from '../shared/notify/notifier.ts';
import type { SenderEnvironment } from '../shared/notify/sender.ts';
import { senderOf } from '../shared/notify/senders.ts';

/** Longest time of one attempt to deliver a message, in ms: a site that reads its references again takes a while to say so. */
const deliveryMs = 45_000;

/** Opens no connection. */
export function notifierOf(
  { channels, notify, trustedCertificates, cloud, docsUrl, fourEyes }: Settings,
  { vaults, getToken, wait, elapsedMs }: EngineDependencies,
  kept: Pick<NotifierDependencies, 'queues' | 'deliveries' | 'switches'>,
): Notifier {
  const now = () => new Date();
  const environment: SenderEnvironment = {
    wire: makeWire({ trustedCertificates }),
    http: libraryClient(trustedCertificates),
    secrets: channelSecrets(vaults, elapsedMs),
    ...{ vaults, getToken, wait, now },
    resourceManager: cloud.resourceManager,
  };
  return makeNotifier({
    ...kept,
    ...{ channels, now },
    standard: notify,
    host: fourEyes.host,
    senderOf: (name, channel) => linking(senderOf(name, channel, environment), docsUrl),
    random: Math.random,
    attemptMs: () => deliveryMs,
  });
}
