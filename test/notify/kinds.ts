/** One of each kind of channel with its stand-in, for the fault table that all of them pass. */

import type { StandInServer } from '../../local/providers/server.ts';
import { alertTemplate, startAlertService } from '../../local/receivers/alerts.ts';
import { startSlack, startTeams } from '../../local/receivers/chat.ts';
import { startMailService } from '../../local/receivers/email.ts';
import { startEventGridTopic } from '../../local/receivers/event-grid.ts';
import { startPagerDuty } from '../../local/receivers/pagerduty.ts';
import { startResourceManager } from '../../local/receivers/resource-manager.ts';
import { startWebhookReceiver } from '../../local/receivers/webhook.ts';
import { type NotifyOptions, NotifyWorld, vaultName } from './world.ts';

export const canaries = {
  signing: `whsec_${Buffer.from('canary-of-the-signing-secret-0001').toString('base64')}`,
  topicKey: 'canary-of-the-topic-key',
  slackKey: 'canary-of-the-slack-address',
  teamsSignature: 'canary-of-the-teams-address',
  token: 'canary-of-the-token',
  routingKey: 'canary0of0the0routing0key0000000',
  mailKey: Buffer.from('canary-of-the-access-key-of-mail').toString('base64'),
  alertKey: 'canary-of-the-alert-key',
};

export interface Bench {
  readonly world: NotifyWorld;
  readonly server: StandInServer;
  /** How often the receiver was told, duplicates included. */
  readonly times: () => number;
  /** Ids it was told, each time; undefined where the kind carries no id. */
  readonly ids: (() => readonly string[]) | undefined;
  /** The answer to a request that reaches its effect, for faults. */
  readonly isEffect: (method: string, path: string) => boolean;
  close(): Promise<void>;
}

type Kind =
  | 'webhook'
  | 'event-grid'
  | 'slack'
  | 'teams'
  | 'pagerduty'
  | 'email'
  | 'template'
  | 'key-vault-reference'
  | 'container-app';

export const kinds: readonly Kind[] = [
  'webhook',
  'event-grid',
  'slack',
  'teams',
  'pagerduty',
  'email',
  'template',
  'key-vault-reference',
  'container-app',
];

const group = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shop-rg/providers';
const site = `${group}/Microsoft.Web/sites/shop`;
const app = `${group}/Microsoft.App/containerApps/shop`;

const isPost = (method: string) => method === 'POST';

function benchOf(server: StandInServer, world: NotifyWorld, rest: Pick<Bench, 'times' | 'ids'>): Bench {
  return { world, server, ...rest, isEffect: isPost, close: () => server.close() };
}

function worldOf(settings: Record<string, unknown>, more: Omit<NotifyOptions, 'channels'> = {}): NotifyWorld {
  return new NotifyWorld({ channels: { ours: settings }, ...more });
}

const makers: Readonly<Record<Kind, () => Promise<Bench>>> = {
  async webhook() {
    const clock: { world?: NotifyWorld } = {};
    const now = () => new Date(clock.world?.nowMs ?? 0);
    const server = await startWebhookReceiver(canaries.signing, now);
    const secrets = { 'hook-signing': canaries.signing };
    const world = worldOf({ kind: 'webhook', url: `${server.url}/hook`, signingSecret: 'hook-signing' }, { secrets });
    clock.world = world;
    const ids = () => [...server.received.map((one) => one.id), ...server.duplicates];
    return benchOf(server, world, { times: () => ids().length, ids });
  },
  async 'event-grid'() {
    const server = await startEventGridTopic([canaries.topicKey]);
    const secrets = { 'topic-key': canaries.topicKey };
    const world = worldOf({ kind: 'event-grid', endpoint: server.endpoint, keySecret: 'topic-key' }, { secrets });
    return benchOf(server, world, {
      times: () => server.received.length,
      ids: () => server.received.map((one) => one.id),
    });
  },
  async slack() {
    const server = await startSlack(canaries.slackKey);
    const settings = { kind: 'slack', urlSecret: 'slack-url', host: '127.0.0.1' };
    const world = worldOf(settings, { secrets: { 'slack-url': server.address } });
    return benchOf(server, world, { times: () => server.received.length, ids: undefined });
  },
  async teams() {
    const server = await startTeams(canaries.teamsSignature);
    const settings = { kind: 'teams', urlSecret: 'teams-url', host: '127.0.0.1' };
    const world = worldOf(settings, { secrets: { 'teams-url': server.address } });
    return benchOf(server, world, { times: () => server.received.length, ids: undefined });
  },
  async pagerduty() {
    const server = await startPagerDuty(canaries.routingKey);
    const settings = { kind: 'pagerduty', endpoint: server.endpoint, routingKeySecret: 'pager-key' };
    const world = worldOf(settings, { secrets: { 'pager-key': canaries.routingKey } });
    // A success closes two incidents, of which this is the first.
    const times = () => server.events.filter((event) => event.endsWith('/rotation')).length;
    return benchOf(server, world, { times, ids: undefined });
  },
  async email() {
    const clock: { world?: NotifyWorld } = {};
    const now = () => new Date(clock.world?.nowMs ?? 0);
    const from = 'keyturn@contoso.com';
    const server = await startMailService({ key: canaries.mailKey, token: canaries.token, senders: [from], now });
    const settings = { kind: 'email', endpoint: server.url, from, to: ['oncall@contoso.com'], keySecret: 'mail-key' };
    const world = worldOf(settings, { secrets: { 'mail-key': canaries.mailKey } });
    clock.world = world;
    return benchOf(server, world, { times: () => server.operations.length, ids: undefined });
  },
  async template() {
    const server = await startAlertService(canaries.alertKey);
    const settings = { kind: 'template', url: server.address, keySecret: 'alert-key', ...alertTemplate };
    const world = worldOf(settings, { secrets: { 'alert-key': canaries.alertKey } });
    return benchOf(server, world, { times: () => server.received.length, ids: undefined });
  },
  async 'key-vault-reference'() {
    const server = await startResourceManager(canaries.token, () => 'a'.repeat(32));
    const known = server.site(site, [
      {
        setting: 'ORDERS_DB',
        reference: `@Microsoft.KeyVault(VaultName=${vaultName};SecretName=orders-db)`,
        ...{ vault: vaultName, secret: 'orders-db', activeVersion: 'b'.repeat(32), status: 'Resolved' },
      },
    ]);
    known.lag = 1;
    const world = worldOf({ kind: 'key-vault-reference', site }, { resourceManager: server.url, token: server.token });
    return benchOf(server, world, { times: () => known.refreshes, ids: undefined });
  },
  async 'container-app'() {
    const server = await startResourceManager(canaries.token, () => undefined);
    const known = server.containerApp(app, [
      { name: 'shop--v1', active: false },
      { name: 'shop--v2', active: true },
    ]);
    const world = worldOf({ kind: 'container-app', app }, { resourceManager: server.url, token: server.token });
    return benchOf(server, world, { times: () => known.restarts.length, ids: undefined });
  },
};

export function startBench(kind: Kind): Promise<Bench> {
  return makers[kind]();
}
