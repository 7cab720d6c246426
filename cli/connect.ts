/** Where the API is, and as whom it is called: from options, then from the environment. */

import { SecretText } from '../shared/contract/secret-text.ts';
import { isLoopback } from '../shared/loopback.ts';
import type { Access } from './api/client.ts';
import { azTokens } from './az-login.ts';
import { type LocalRole, readLocalStack } from './local-stack.ts';
import { usageStop } from './trouble.ts';

export interface ConnectOptions {
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly token: string | undefined;
  readonly audience: string | undefined;
  readonly local: boolean;
  /** The role that the command needs: which of the local stack's keys is taken. */
  readonly role: LocalRole;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const prefix = '/api/v1';

/** Stops with what is missing. Asks nobody anything yet, but for the file of a local stack. */
export async function connect(options: ConnectOptions): Promise<Access> {
  if (options.local) {
    if (options.url !== undefined || options.key !== undefined || options.token !== undefined)
      throw usageStop('--local brings its own address and keys', 'Leave --url, --key and --token out, or --local.');
    const { url, key } = await readLocalStack(options.role);
    return { url: baseOf(url), headers: async () => ({ 'x-keyturn-key': key.reveal() }) };
  }
  const url = options.url ?? set(options.env['KEYTURN_URL']);
  if (url === undefined) {
    throw usageStop(
      'the address of the API is not known',
      'Give --url https://APP.azurewebsites.net, set KEYTURN_URL, or run "keyturn config set NAME --url …" once; --local is for a stack that "npm start" has started.',
    );
  }
  return { url: baseOf(url), headers: headersOf(options) };
}

/** An empty variable counts as not set. */
function set(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}

/** The address with the version of the API. Credentials go over TLS, or stay on this machine. */
export function baseOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw usageStop('the address of the API cannot be used', 'Give it like https://keyturn-app.azurewebsites.net.');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw usageStop(
      `${url.hostname} would be called without TLS, with a credential for everybody on the way to read`,
      'Give an address that begins with https://; plain http is for this machine only.',
    );
  }
  const path = url.pathname.replace(/\/+$/, '');
  return url.origin + (path === '' ? prefix : path);
}

/** An option beats the environment; a key beats a token, which beats az login. */
function headersOf({ key, token, audience, env }: ConnectOptions): Access['headers'] {
  if (key !== undefined && token !== undefined)
    throw usageStop('--key and --token are two ways to say who calls', 'Give one of them.');
  const byKey = (text: string) => fixed('x-keyturn-key', '', text, 'KEYTURN_KEY or --key');
  const byToken = (text: string) => fixed('authorization', 'Bearer ', text, 'KEYTURN_TOKEN or --token');
  if (key !== undefined) return byKey(key);
  if (token !== undefined) return byToken(token);
  const envKey = set(env['KEYTURN_KEY']);
  const envToken = set(env['KEYTURN_TOKEN']);
  const azAudience = audience ?? set(env['KEYTURN_AUDIENCE']);
  if (audience === undefined && envKey !== undefined) return byKey(envKey);
  if (audience === undefined && envToken !== undefined) return byToken(envToken);
  if (azAudience !== undefined) return azTokens(azAudience);
  throw usageStop(
    'nothing says who calls',
    'Set KEYTURN_KEY, or KEYTURN_TOKEN, or run "az login" and give --audience (KEYTURN_AUDIENCE): the audience of the app, like api://keyturn.',
  );
}

/** A header that cannot be sent would be quoted in the error of whoever tries, so it is looked at before. */
function fixed(name: string, scheme: string, text: string, from: string): Access['headers'] {
  const value = new SecretText(text.trim());
  if (!/^[\x21-\x7e]+$/.test(value.reveal()))
    throw usageStop(`${from} holds something else than one word of visible characters`, `Correct ${from}.`);
  return async () => ({ [name]: scheme + value.reveal() });
}
