/** Options of `npm start`. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parseJson } from '../shared/json.ts';

export const usage = `npm start -- [options]    a local Azure with Keyturn in it; Ctrl-C ends all of it

  --port N            functions host (7071)
  --vault-port N      vault emulator (8443)
  --postgres-port N   Postgres (15432)
  --blob-port N, --queue-port N, --table-port N
                      storage account (10000, 10001, 10002)
  --instances N       instances of the functions host (1)
  --empty             without samples
  --set NAME=VALUE    a setting of the app, such as KEYTURN_OVERLAP=PT2M; may be
                      repeated (docs/settings.md)
  --channel NAME=URL  tells this webhook of every secret; may be repeated
  --channels FILE     channels of any kind, as JSON (docs/notifications.md)
  --steps             each step of a rotation, with its time
  --log-json          the app's log as it is, for programs
  --json              one line of JSON with every address and key, then quiet
  --help              this text

A port of 0 takes any free one.`;

const portOptions = {
  port: { type: 'string', default: '7071' },
  'vault-port': { type: 'string', default: '8443' },
  'postgres-port': { type: 'string', default: '15432' },
  'blob-port': { type: 'string', default: '10000' },
  'queue-port': { type: 'string', default: '10001' },
  'table-port': { type: 'string', default: '10002' },
} as const;

const otherOptions = {
  instances: { type: 'string', default: '1' },
  empty: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  steps: { type: 'boolean', default: false },
  'log-json': { type: 'boolean', default: false },
  set: { type: 'string', multiple: true },
  channel: { type: 'string', multiple: true },
  channels: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

export class UsageError extends Error {}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most && text.trim() !== '') return number;
  throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not "${text}"`);
}

/** Throws a UsageError for what cannot be meant. */
export async function readArguments() {
  const values = parsed();
  const port = (name: keyof typeof portOptions): number => wholeNumber(name, values[name], 0, 65_535);
  const channels = new Map((values.channel ?? []).map((text) => pairOf('channel', text)));
  const settings = new Map((values.set ?? []).map((text) => pairOf('set', text)));
  for (const name of settings.keys())
    if (!name.startsWith('KEYTURN_')) throw new UsageError(`--set takes settings of docs/settings.md, not "${name}"`);
  return {
    ports: {
      host: port('port'),
      vault: port('vault-port'),
      postgres: port('postgres-port'),
      blob: port('blob-port'),
      queue: port('queue-port'),
      table: port('table-port'),
    },
    instances: wholeNumber('instances', values.instances, 1, 16),
    empty: values.empty,
    json: values.json,
    steps: values.steps,
    logJson: values['log-json'],
    help: values.help,
    settings: { ...(await channelSettings(channels, values.channels)), ...Object.fromEntries(settings) },
    webhooks: [...channels.keys()],
  };
}

function parsed() {
  try {
    return parseArgs({ options: { ...portOptions, ...otherOptions } }).values;
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

function pairOf(option: string, text: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([\w-]+)=(.+)$/s.exec(text) ?? [];
  if (name === '') throw new UsageError(`--${option} takes NAME=${option === 'set' ? 'VALUE' : 'URL'}, not "${text}"`);
  return [name, value];
}

/** Name of the secret that holds the signing secret of a webhook. */
export function signingSecretOf(channel: string): string {
  return `${channel}-signing`;
}

/** What the app must know of channels. A file's are told of secrets that name them, webhooks of all. */
async function channelSettings(
  webhooks: ReadonlyMap<string, string>,
  file: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (webhooks.size === 0 && file === undefined) return {};
  const read = file === undefined ? {} : parseJson(await textOf(file));
  if (typeof read !== 'object' || read === null) throw new UsageError(`${file} holds no JSON object`);
  const own = [...webhooks].map(([name, url]) => [
    name,
    { kind: 'webhook', url, signingSecret: signingSecretOf(name) },
  ]);
  const channels = JSON.stringify({ ...read, ...Object.fromEntries(own) });
  return {
    KEYTURN_CHANNELS: channels,
    ...(webhooks.size === 0 ? {} : { KEYTURN_NOTIFY: [...webhooks.keys()].join() }),
  };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--channels: ${error instanceof Error ? error.message : String(error)}`);
  }
}
