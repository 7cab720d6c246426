/**
 * The setting KEYTURN_CHANNELS: whom to tell, and how. What is secret of a channel is in a vault; the setting holds its name. Read by hand
 * and not by a schema, like all settings: the app reads them at every start.
 */
import { type NoticeType, noticeTypes } from '../contract/notice-types.ts';
import { isLoopback } from '../loopback.ts';
import { Fields } from './fields.ts';
import { parser, wrong } from './parsers.ts';
import { problemOfHeaders, problemOfTemplate, textsOf } from './template.ts';

/** A secret of one of the app's vaults: `NAME`, in the first one, or `VAULT/NAME`. */
export interface SecretReference {
  readonly vault?: string;
  readonly name: string;
}

/** Kinds of news the channel is for; absent: all. */
interface ForTypes {
  readonly types?: readonly NoticeType[];
}

export type Channel =
  /** Without a key the app's own identity publishes. */
  | ({ readonly kind: 'event-grid'; readonly endpoint: URL; readonly keySecret?: SecretReference } & ForTypes)
  | ({ readonly kind: 'webhook'; readonly address: Address; readonly signingSecret: SecretReference } & ForTypes)
  | ({ readonly kind: 'slack' | 'teams'; readonly address: Address } & ForTypes)
  | ({ readonly kind: 'pagerduty'; readonly endpoint: URL; readonly routingKeySecret: SecretReference } & ForTypes)
  /** Without a key the app's own identity sends. */
  | ({
      readonly kind: 'email';
      readonly endpoint: URL;
      readonly from: string;
      readonly to: readonly string[];
      readonly keySecret?: SecretReference;
    } & ForTypes)
  | ({
      readonly kind: 'template';
      readonly address: Address;
      /** JSON, whose texts ask for parts of the news as `{{name}}`. */
      readonly body: unknown;
      readonly headers: Readonly<Record<string, string>>;
      readonly keySecret?: SecretReference;
    } & ForTypes)
  | { readonly kind: 'key-vault-reference'; readonly site: string; readonly restart: boolean }
  | { readonly kind: 'container-app'; readonly app: string };

/**
 * Where to post: an address, or the secret that holds it. The host of a secret one is named in the settings, so that whoever may edit that
 * secret cannot send the news elsewhere.
 */
export type Address =
  | { readonly kind: 'url'; readonly url: URL }
  | { readonly kind: 'secret'; readonly secret: SecretReference; readonly host: string };

export type ChannelOf<Kind extends Channel['kind']> = Extract<Channel, { readonly kind: Kind }>;

const channelName = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Whether something may be sent there: https, or http to this machine; no login in the address. */
export function isSendable(url: URL): boolean {
  if (url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

function referenceOf(text: string): SecretReference | undefined {
  if (!/^([a-z0-9-]{3,24}\/)?[0-9a-zA-Z-]{1,127}$/.test(text)) return undefined;
  const [name = '', vault] = text.split('/').reverse();
  return vault === undefined ? { name } : { vault, name };
}

function urlOf(text: string): URL | undefined {
  const url = URL.parse(text);
  return url !== null && isSendable(url) ? url : undefined;
}

function hostOf(text: string): string | undefined {
  return /^[a-z0-9.-]{1,253}$/i.test(text) ? text.toLowerCase() : undefined;
}

function resourceOf(provider: string) {
  const segment = '[\\w-]{1,64}';
  const end = provider.replaceAll('*', segment);
  const id = new RegExp(`^/subscriptions/[0-9a-f-]{36}/resourceGroups/[\\w.()-]{1,90}/providers/${end}$`, 'i');
  return (text: string) => (id.test(text) ? text : undefined);
}

const siteOf = resourceOf('Microsoft\\.Web/sites/*(/slots/*)?');
const appOf = resourceOf('Microsoft\\.App/containerApps/*');

const isAddress = 'is an address that begins with https:// and holds no login';
const isReference = 'is the name of a vault secret, or VAULT/NAME';
const isHost = 'is the name of a host, without https://';

const kinds = [
  ...['event-grid', 'webhook', 'slack', 'teams', 'pagerduty', 'email', 'template'],
  ...['key-vault-reference', 'container-app'],
] as const;

/** Undefined where something is wrong; the fields know what. */
function readChannel(fields: Fields): Channel | undefined {
  const kind = fields.word('kind', kinds);
  switch (kind) {
    case undefined:
      return undefined;
    case 'event-grid': {
      const endpoint = fields.text('endpoint', urlOf, isAddress);
      const keySecret = fields.optional('keySecret', referenceOf, isReference);
      return endpoint && { kind, endpoint, ...(keySecret === undefined ? {} : { keySecret }), ...readTypes(fields) };
    }
    case 'webhook': {
      const isSecret = fields.has('urlSecret') && !fields.has('url');
      const address = isSecret ? readSecretUrl(fields, undefined) : readUrl(fields);
      const signingSecret = fields.text('signingSecret', referenceOf, isReference);
      return address && signingSecret && { kind, address, signingSecret, ...readTypes(fields) };
    }
    case 'slack':
    case 'teams': {
      const address = readSecretUrl(fields, kind === 'slack' ? 'hooks.slack.com' : undefined);
      return address && { kind, address, ...readTypes(fields) };
    }
    case 'pagerduty':
      return readPagerDuty(fields);
    case 'email':
      return readEmail(fields);
    case 'template':
      return readTemplate(fields);
    case 'key-vault-reference': {
      const site = fields.text('site', siteOf, 'is the resource id of a web or function app, or of its slot');
      const restart = fields.flag('restart');
      return site === undefined ? undefined : { kind, site, restart };
    }
    case 'container-app': {
      const app = fields.text('app', appOf, 'is the resource id of a container app');
      return app === undefined ? undefined : { kind, app };
    }
  }
}

const pagerDuty = new URL('https://events.pagerduty.com/v2/enqueue');

function readPagerDuty(fields: Fields): Channel | undefined {
  const routingKeySecret = fields.text('routingKeySecret', referenceOf, isReference);
  const endpoint = fields.has('endpoint') ? fields.text('endpoint', urlOf, isAddress) : pagerDuty;
  return endpoint && routingKeySecret && { kind: 'pagerduty', endpoint, routingKeySecret, ...readTypes(fields) };
}

function mailOf(text: string): string | undefined {
  return /^[^\s@<>",;:]{1,64}@[a-z0-9.-]{1,253}$/i.test(text) ? text : undefined;
}

const isMail = 'is an e-mail address';

function readEmail(fields: Fields): Channel | undefined {
  const endpoint = fields.text('endpoint', urlOf, isAddress);
  const from = fields.text('from', mailOf, isMail);
  const to = fields.texts('to', mailOf, isMail);
  const keySecret = fields.optional('keySecret', referenceOf, isReference);
  const key = keySecret === undefined ? {} : { keySecret };
  if (endpoint === undefined || from === undefined || to === undefined) return undefined;
  return { kind: 'email', endpoint, from, to, ...key, ...readTypes(fields) };
}

function readTemplate(fields: Fields): Channel | undefined {
  const isSecret = fields.has('urlSecret') && !fields.has('url');
  const address = isSecret ? readSecretUrl(fields, undefined) : readUrl(fields);
  const keySecret = fields.optional('keySecret', referenceOf, isReference);
  const body = fields.json('body', (value) => problemOfTemplate(value, keySecret !== undefined));
  const headers = fields.has('headers')
    ? fields.json('headers', (value) => problemOfHeaders(value, keySecret !== undefined))
    : { value: {} };
  if (address === undefined || body === undefined || headers === undefined) return undefined;
  const key = keySecret === undefined ? {} : { keySecret };
  return { kind: 'template', address, body: body.value, headers: textsOf(headers.value), ...key, ...readTypes(fields) };
}

function readUrl(fields: Fields): Address | undefined {
  const url = fields.text('url', urlOf, isAddress);
  return url && { kind: 'url', url };
}

function readSecretUrl(fields: Fields, standardHost: string | undefined): Address | undefined {
  const secret = fields.text('urlSecret', referenceOf, isReference);
  const host = standardHost !== undefined && !fields.has('host') ? standardHost : fields.text('host', hostOf, isHost);
  return secret === undefined || host === undefined ? undefined : { kind: 'secret', secret, host };
}

function readTypes(fields: Fields): ForTypes {
  const types = fields.words('types', noticeTypes);
  return types === undefined ? {} : { types };
}

/** The secrets a channel needs. */
export function referencesOf(one: Channel): readonly SecretReference[] {
  switch (one.kind) {
    case 'event-grid':
      return one.keySecret === undefined ? [] : [one.keySecret];
    case 'webhook':
      return [one.signingSecret, ...(one.address.kind === 'secret' ? [one.address.secret] : [])];
    case 'slack':
    case 'teams':
      return one.address.kind === 'secret' ? [one.address.secret] : [];
    case 'pagerduty':
      return [one.routingKeySecret];
    case 'email':
      return one.keySecret === undefined ? [] : [one.keySecret];
    case 'template':
      return [
        ...(one.keySecret === undefined ? [] : [one.keySecret]),
        ...(one.address.kind === 'secret' ? [one.address.secret] : []),
      ];
    case 'key-vault-reference':
    case 'container-app':
      return [];
  }
}

/** JSON: an object of channels by name. Every problem of every channel is named at once. */
export const channels = parser((text): ReadonlyMap<string, Channel> => {
  if (text.trim() === '') return new Map();
  const problems: string[] = [];
  const found = new Map<string, Channel>();
  Object.entries(parseObject(text)).forEach(([name, value], index) => {
    if (!channelName.test(name)) {
      problems.push(`the name of channel ${index + 1} is not lower-case letters, digits, dots and dashes`);
      return;
    }
    const fields = new Fields(value);
    const channel = readChannel(fields);
    problems.push(...fields.end().map((problem) => `channel "${name}": ${problem}`));
    if (channel !== undefined) found.set(name, channel);
  });
  return problems.length === 0 ? found : wrong(problems.join('; '));
});

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    // What the parser says would quote the value.
    if (error instanceof SyntaxError) return wrong('is not JSON');
    throw error;
  }
  return wrong('is not a JSON object of channels by name');
}

/** Names of channels, separated by commas. */
export const channelNames = parser((text): readonly string[] =>
  text
    .split(/[\s,]+/)
    .filter((one) => one !== '')
    .map((one) => one.toLowerCase()),
);
