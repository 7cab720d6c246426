/**
 * A container app reads its Key Vault secrets when a revision starts. This restarts all active revisions.
 * Source: operations `revisions/restart` of Microsoft.App.
 */
import * as z from 'zod';
import type { ChannelOf } from '../config/channels.ts';
import { failure } from '../errors.ts';
import { armFor } from './arm.ts';
import type { Sender, SenderEnvironment } from './sender.ts';

const apiVersion = '2025-07-01';

const page = z.object({
  value: z.array(
    z.object({ name: z.string().regex(/^[\w.-]{1,128}$/), properties: z.object({ active: z.boolean().nullish() }) }),
  ),
  nextLink: z.string().nullish(),
});

/** A retry restarts a revision that was restarted before once more: Azure has no way to ask for one restart only. */
export function containerAppSender(
  channel: string,
  { app }: ChannelOf<'container-app'>,
  environment: SenderEnvironment,
): Sender {
  return {
    async send(notice, signal) {
      const about = { secret: notice.secret, channel };
      const arm = armFor(environment, about, signal);
      const listed = await arm.list(`${app}/revisions`, apiVersion, page);
      if (listed.kind === 'failed') return listed;
      const active = listed.items.filter((revision) => revision.properties.active === true);
      if (active.length === 0)
        return failure('channel-refused', { ...about, detail: 'the container app has no active revision' });
      for (const { name } of active) {
        const restarted = await arm.post(`${app}/revisions/${name}/restart`, apiVersion);
        if (restarted.kind === 'failed') return restarted;
      }
      return { kind: 'delivered', detail: `restarted ${active.map(({ name }) => name).join(', ')}` };
    },
  };
}
