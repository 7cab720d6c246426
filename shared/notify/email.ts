/**
 * E-mail through Azure Communication Services. Sources: its REST description "EmailClient" of 2025-09-01, and the page "Sign an HTTP request"
 * for access by key.
 */
import { createHash, createHmac } from 'node:crypto';
import type { ChannelOf } from '../config/channels.ts';
import type { Notice } from '../contract/notice.ts';
import { type Failure, failure } from '../errors.ts';
import { type About, judge } from './answer.ts';
import { noToken } from './event-grid.ts';
import type { Sender, SenderEnvironment } from './sender.ts';
import { wordsOf } from './text.ts';

type Settings = ChannelOf<'email'>;

const apiVersion = '2025-09-01';
const scope = 'https://communication.azure.com/.default';

/** A subject longer than this is cut by most programs that show it. */
const longestSubject = 150;

export function emailSender(channel: string, settings: Settings, environment: SenderEnvironment): Sender {
  return {
    async send(notice, signal) {
      const about = { secret: notice.secret, channel };
      const url = new URL(`/emails:send?api-version=${apiVersion}`, settings.endpoint);
      const body = JSON.stringify(messageOf(notice, settings));
      const access = await accessOf(settings, { url, body }, environment, about, signal);
      if ('code' in access) return access;
      const headers = {
        'content-type': 'application/json',
        // The same for every try of one message to one channel: a repeated one is the same operation.
        'operation-id': operationId(notice.id, channel),
        ...access.headers,
      };
      const outcome = judge(
        about,
        await environment.wire({ method: 'POST', url, headers, body }, signal),
        environment.now(),
      );
      const refused = outcome.kind === 'failed' && outcome.code !== 'channel-unreachable';
      if (refused && settings.keySecret !== undefined) environment.secrets.forget(settings.keySecret);
      return outcome;
    },
  };
}

/** Plain text alone: nothing in it can be taken for markup. Pure. */
export function messageOf(notice: Notice, { from, to }: Pick<Settings, 'from' | 'to'>) {
  const { urgent, what, next, facts } = wordsOf(notice);
  const subject = `${urgent ? '[Keyturn: act] ' : '[Keyturn] '}${what}`;
  const lines = [what, '', `Next: ${next}`, '', ...facts.map(([name, value]) => `${name}: ${value}`)];
  return {
    senderAddress: from,
    recipients: { to: to.map((address) => ({ address })) },
    content: {
      subject: subject.length <= longestSubject ? subject : `${subject.slice(0, longestSubject - 1)}…`,
      plainText: lines.join('\n'),
    },
    userEngagementTrackingDisabled: true,
  };
}

/** A UUID that follows from what is sent to whom. */
function operationId(noticeId: string, channel: string): string {
  const hex = createHash('sha256').update(`${channel}\n${noticeId}`).digest('hex').slice(0, 32);
  // Version 8 of RFC 9562: its content is the maker's own affair.
  const shaped = `${hex.slice(0, 12)}8${hex.slice(13, 16)}8${hex.slice(17)}`;
  return shaped.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

interface Request {
  readonly url: URL;
  readonly body: string;
}

async function accessOf(
  { keySecret }: Settings,
  request: Request,
  { secrets, getToken, now }: SenderEnvironment,
  about: About,
  signal: AbortSignal,
): Promise<{ readonly headers: Readonly<Record<string, string>> } | Failure> {
  if (keySecret === undefined) {
    const token = await getToken(scope).catch((error: unknown) => noToken(about, error));
    return 'code' in token ? token : { headers: { authorization: `Bearer ${token.reveal()}` } };
  }
  const key = await secrets.text(keySecret, about, signal);
  if (key.kind === 'failed') return key;
  const bytes = Buffer.from(key.text.reveal().trim(), 'base64');
  if (bytes.length < 16)
    return failure('channel-unusable', {
      ...about,
      detail: `the secret ${keySecret.name} holds no access key in base64`,
    });
  return { headers: signedWith(bytes, request, now()) };
}

function signedWith(key: Buffer, { url, body }: Request, at: Date): Readonly<Record<string, string>> {
  const date = at.toUTCString();
  const hash = createHash('sha256').update(body).digest('base64');
  const text = `POST\n${url.pathname}${url.search}\n${date};${url.host};${hash}`;
  const signature = createHmac('sha256', key).update(text).digest('base64');
  return {
    'x-ms-date': date,
    'x-ms-content-sha256': hash,
    authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
  };
}
