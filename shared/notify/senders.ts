import { createHash } from 'node:crypto';
import type { Channel } from '../config/channels.ts';
import type { NoticeType } from '../contract/notice-types.ts';
import { chatSender } from './chat.ts';
import { containerAppSender } from './container-app.ts';
import { emailSender } from './email.ts';
import { eventGridSender } from './event-grid.ts';
import { keyVaultReferenceSender } from './key-vault-reference.ts';
import { pagerDutySender } from './pagerduty.ts';
import type { Sender, SenderEnvironment } from './sender.ts';
import { slackBody } from './slack.ts';
import { teamsBody } from './teams.ts';
import { templateSender } from './template.ts';
import { webhookSender } from './webhook.ts';

/** The one list of kinds. */
export function senderOf(name: string, channel: Channel, environment: SenderEnvironment): Sender {
  switch (channel.kind) {
    case 'event-grid':
      return eventGridSender(name, channel, environment);
    case 'webhook':
      return webhookSender(name, channel, environment);
    case 'slack':
      return chatSender(name, channel.address, environment, slackBody);
    case 'teams':
      return chatSender(name, channel.address, environment, teamsBody);
    case 'pagerduty':
      return pagerDutySender(name, channel, environment);
    case 'email':
      return emailSender(name, channel, environment);
    case 'template':
      return templateSender(name, channel, environment);
    case 'key-vault-reference':
      return keyVaultReferenceSender(name, channel, environment);
    case 'container-app':
      return containerAppSender(name, channel, environment);
  }
}

/** Whether the channel is there for that kind of news. What only makes an app read its secrets again needs no other than `rotated`. */
export function wants(channel: Channel, type: NoticeType): boolean {
  switch (channel.kind) {
    case 'key-vault-reference':
    case 'container-app':
      return type === 'rotated';
    case 'pagerduty':
      // What closes an incident is wanted with whatever opens one; what does neither pages nobody.
      if (type === 'announced') return false;
      return type === 'rotated' || type === 'retired' || (channel.types?.includes(type) ?? true);
    case 'event-grid':
    case 'webhook':
    case 'slack':
    case 'teams':
    case 'email':
    case 'template':
      return channel.types?.includes(type) ?? true;
  }
}

/** What tells a channel's setting from another of the same name. */
export function settingHash(channel: Channel): string {
  return createHash('sha256').update(JSON.stringify(channel)).digest('hex').slice(0, 32);
}
