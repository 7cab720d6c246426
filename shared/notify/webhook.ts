/** A signed webhook: Standard Webhooks 1.0.0. The id is the notice's, the same for every retry. */
import type { ChannelOf } from '../config/channels.ts';
import type { Notice } from '../contract/notice.ts';
import { type Failure, failure } from '../errors.ts';
import { type About, judge } from './answer.ts';
import { dataOf, eventTypeOf } from './events.ts';
import type { Sender, SenderEnvironment, SendOutcome } from './sender.ts';
import { readSigningKey, signedHeaders } from './signature.ts';

type Webhook = ChannelOf<'webhook'>;

export function webhookSender(channel: string, settings: Webhook, environment: SenderEnvironment): Sender {
  return {
    async send(notice, signal) {
      const about = { secret: notice.secret, channel };
      const url = await environment.secrets.address(settings.address, about, signal);
      if (url.kind === 'failed') return url;
      const keys = await signingKeys(settings, environment, about, signal);
      if (keys.kind === 'failed') return keys;
      const body = bodyOf(notice);
      const now = environment.now();
      const headers = { 'content-type': 'application/json', ...signedHeaders(notice.id, now, body, keys.keys) };
      const answer = await environment.wire({ method: 'POST', url: url.url, headers, body }, signal);
      return forgetting(judge(about, answer, now), settings, environment);
    },
  };
}

/** A receiver that refuses may have been given another key, or another address, a moment ago. */
function forgetting(outcome: SendOutcome, settings: Webhook, { secrets }: SenderEnvironment): SendOutcome {
  if (outcome.kind === 'failed' && outcome.code !== 'channel-unreachable') {
    secrets.forget(settings.signingSecret);
    if (settings.address.kind === 'secret') secrets.forget(settings.address.secret);
  }
  return outcome;
}

function bodyOf(notice: Notice): string {
  return JSON.stringify({ type: eventTypeOf(notice), timestamp: notice.at, data: dataOf(notice) });
}

async function signingKeys(
  { signingSecret }: Webhook,
  { secrets }: SenderEnvironment,
  about: About,
  signal: AbortSignal,
): Promise<{ readonly kind: 'keys'; readonly keys: readonly Buffer[] } | Failure> {
  const read = await secrets.keys(signingSecret, about, signal);
  if (read.kind === 'failed') return read;
  const keys: Buffer[] = [];
  for (const text of read.keys) {
    const key = readSigningKey(text);
    if (key.kind === 'unusable') {
      const detail = `the signing key in the secret ${signingSecret.name} ${key.detail}`;
      return failure('channel-unusable', { ...about, detail });
    }
    keys.push(key.bytes);
  }
  return { kind: 'keys', keys };
}
