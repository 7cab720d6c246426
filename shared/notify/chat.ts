/** A chat: a message for people, posted to an address that is a secret itself. */
import type { Address } from '../config/channels.ts';
import type { Notice } from '../contract/notice.ts';
import { judge } from './answer.ts';
import type { Sender, SenderEnvironment } from './sender.ts';

/** `bodyOf`: what the kind of chat takes, sent as JSON. */
export function chatSender(
  channel: string,
  target: Address,
  { wire, secrets, now }: SenderEnvironment,
  bodyOf: (notice: Notice) => unknown,
): Sender {
  return {
    async send(notice, signal) {
      const about = { secret: notice.secret, channel };
      const address = await secrets.address(target, about, signal);
      if (address.kind === 'failed') return address;
      const body = JSON.stringify(bodyOf(notice));
      const headers = { 'content-type': 'application/json' };
      const outcome = judge(about, await wire({ method: 'POST', url: address.url, headers, body }, signal), now());
      const refused = outcome.kind === 'failed' && outcome.code !== 'channel-unreachable';
      if (refused && target.kind === 'secret') secrets.forget(target.secret);
      return outcome;
    },
  };
}
