/** An Event Grid topic that takes CloudEvents 1.0, over Azure's own client. */
import type { ChannelOf } from '../config/channels.ts';
import type { Notice } from '../contract/notice.ts';
import { type Failure, failure, rethrowBug } from '../errors.ts';
import { type Answer, noAnswer } from '../http/client.ts';
import { type About, judge } from './answer.ts';
import { dataOf, eventTypeOf, sourceOf } from './events.ts';
import type { Sender, SenderEnvironment } from './sender.ts';

type Settings = ChannelOf<'event-grid'>;
type Library = typeof import('@azure/eventgrid');
type Credential = ConstructorParameters<Library['EventGridPublisherClient']>[2];

export function eventGridSender(channel: string, settings: Settings, environment: SenderEnvironment): Sender {
  return {
    async send(notice, signal) {
      const about = { secret: notice.secret, channel };
      // Loaded only where a channel needs it.
      const library = await import('@azure/eventgrid');
      const credential = await credentialOf(library, settings, environment, about, signal);
      if ('code' in credential) return credential;
      const client = new library.EventGridPublisherClient(settings.endpoint.href, 'CloudEvent', credential.credential, {
        httpClient: environment.http,
        // Retries are the queue's.
        retryOptions: { maxRetries: 0 },
        redirectOptions: { maxRetries: 0 },
        allowInsecureConnection: settings.endpoint.protocol === 'http:',
      });
      const outcome = judge(about, await publish(client, notice, signal), environment.now());
      const refused = outcome.kind === 'failed' && outcome.code !== 'channel-unreachable';
      if (refused && settings.keySecret !== undefined) environment.secrets.forget(settings.keySecret);
      return outcome;
    },
  };
}

type Publisher = InstanceType<Library['EventGridPublisherClient']>;

async function publish(client: Publisher, notice: Notice, signal: AbortSignal): Promise<Answer> {
  let answer: Answer | undefined;
  const event = {
    id: notice.id,
    source: sourceOf(notice),
    type: eventTypeOf(notice),
    subject: notice.secret,
    time: new Date(notice.at),
    datacontenttype: 'application/json',
    data: dataOf(notice),
  };
  try {
    await client.send([event], {
      abortSignal: signal,
      // The library takes every status for a success, so the status itself is judged.
      onResponse: ({ status, headers }) => {
        answer = { kind: 'answered', status, header: (name) => headers.get(name), body: '' };
      },
    });
  } catch (error) {
    // What the library throws carries the request with its key.
    answer ??= noAnswer(error, signal);
  }
  return answer ?? { kind: 'no-answer', detail: 'the library gave no answer' };
}

async function credentialOf(
  library: Library,
  { keySecret }: Settings,
  { secrets, getToken }: SenderEnvironment,
  about: About,
  signal: AbortSignal,
): Promise<{ readonly credential: Credential } | Failure> {
  if (keySecret !== undefined) {
    const key = await secrets.text(keySecret, about, signal);
    return key.kind === 'failed' ? key : { credential: new library.AzureKeyCredential(key.text.reveal().trim()) };
  }
  try {
    // Asked for first, so that a failing identity is told from a failing topic.
    const token = await getToken('https://eventgrid.azure.net/.default');
    const answer = { token: token.reveal(), expiresOnTimestamp: Date.now() + 60_000 };
    return { credential: { getToken: async () => answer } };
  } catch (error) {
    return noToken(about, error);
  }
}

/** The identity library's messages can quote what an endpoint answered; its name is enough to look it up. */
export function noToken(about: About, error: unknown): Failure {
  rethrowBug(error);
  const detail = `the app's identity gave no token (${error instanceof Error ? error.name : 'unknown'})`;
  return failure('channel-unreachable', { ...about, detail });
}
