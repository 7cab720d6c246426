/** A receiver of any kind: JSON as the settings write it, with the words and facts of the news where the template asks for them. */
import type { ChannelOf } from '../config/channels.ts';
import type { Notice } from '../contract/notice.ts';
import { filled, type TemplateField } from '../contract/template-fields.ts';
import { type Failure, failure } from '../errors.ts';
import { type About, judge } from './answer.ts';
import { eventTypeOf } from './events.ts';
import type { Sender, SenderEnvironment } from './sender.ts';
import { wordsOf } from './text.ts';
import { incidentsOf, severityOf, turnOf } from './urgency.ts';

type Settings = ChannelOf<'template'>;
type Values = Readonly<Partial<Record<TemplateField, string>>>;

export function templateSender(channel: string, settings: Settings, environment: SenderEnvironment): Sender {
  const { wire, secrets, now } = environment;
  return {
    async send(notice, signal) {
      const about = { secret: notice.secret, channel };
      const url = await secrets.address(settings.address, about, signal);
      if (url.kind === 'failed') return url;
      const values = await valuesFor(notice, settings, environment, about, signal);
      if (values.kind === 'failed') return values;
      const headers = headersFor(settings, values.values, about);
      if ('code' in headers) return headers;
      const body = JSON.stringify(filledIn(settings.body, values.values));
      const outcome = judge(
        about,
        await wire({ method: 'POST', url: url.url, headers: headers.headers, body }, signal),
        now(),
      );
      if (outcome.kind === 'failed' && outcome.code !== 'channel-unreachable') forget(settings, environment);
      return outcome;
    },
  };
}

function forget({ address, keySecret }: Settings, { secrets }: SenderEnvironment): void {
  if (address.kind === 'secret') secrets.forget(address.secret);
  if (keySecret !== undefined) secrets.forget(keySecret);
}

async function valuesFor(
  notice: Notice,
  { keySecret }: Settings,
  { secrets }: SenderEnvironment,
  about: About,
  signal: AbortSignal,
): Promise<{ readonly kind: 'values'; readonly values: Values } | Failure> {
  const values = valuesOf(notice);
  if (keySecret === undefined) return { kind: 'values', values };
  const key = await secrets.text(keySecret, about, signal);
  return key.kind === 'failed' ? key : { kind: 'values', values: { ...values, key: key.text.reveal().trim() } };
}

/** Everything that a template may ask for, but the channel's key. Pure. */
export function valuesOf(notice: Notice): Values {
  const { what, next, urgent } = wordsOf(notice);
  const { id, type, vault, secret, rotationId, at, failure: failed } = notice;
  const { version, from, login, owner, expiresAt, retireBy, nextTryAt } = notice;
  return {
    ...{ what, next, urgent: String(urgent), severity: severityOf(notice) },
    state: turnOf(notice) === 'closes' ? 'resolved' : 'open',
    dedupKey: incidentsOf(notice)[0] ?? id,
    ...{ id, type, event: eventTypeOf(notice), vault, secret, rotationId, at },
    ...Object.fromEntries(
      Object.entries({
        version,
        from,
        login,
        owner,
        expiresAt,
        retireBy,
        nextTryAt,
        code: failed?.code,
        page: failed?.page,
      }).filter(([, value]) => value !== undefined),
    ),
  };
}

/** Only texts are filled in, each for itself: what a field holds can never become JSON of its own. */
function filledIn(template: unknown, values: Values): unknown {
  if (typeof template === 'string') return filled(template, values);
  if (Array.isArray(template)) return template.map((one) => filledIn(one, values));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, filledIn(value, values)]));
}

function headersFor(
  { headers }: Settings,
  values: Values,
  about: About,
): { readonly headers: Readonly<Record<string, string>> } | Failure {
  const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value, values)]));
  const wrong = Object.entries(own).find(([, value]) => !/^[\x20-\x7e]*$/.test(value))?.[0];
  if (wrong !== undefined)
    return failure('channel-unusable', {
      ...about,
      detail: `its header ${wrong} would hold something else than visible characters`,
    });
  return { headers: { 'content-type': 'application/json', ...own } };
}
