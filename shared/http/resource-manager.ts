/** The one client of Azure Resource Manager. Whose token it is, and what a failure means, is the caller's to say. */
import type { SecretText } from '../contract/secret-text.ts';
import type { Answer, Wire } from './client.ts';

export interface ArmCall {
  readonly method: 'GET' | 'POST';
  /** Path from the root; for a following page or an operation, the whole address that Azure gave. */
  readonly path: string;
  readonly apiVersion?: string;
  readonly body?: Readonly<Record<string, string>>;
}

/** `another-host`: an answer pointed away from Resource Manager, or to no address; nothing was sent. */
export type ArmAnswer = Answer | { readonly kind: 'another-host' };

export interface ResourceManager {
  readonly host: string;
  /** Of the tokens it takes. */
  readonly scope: string;
  /** One request. The token goes to Resource Manager alone, whatever an answer says of where to go on. */
  send(call: ArmCall, token: SecretText, signal: AbortSignal): Promise<ArmAnswer>;
}

/** `base`: address of Resource Manager, from the app's settings. */
export function resourceManagerAt(base: string, wire: Wire): ResourceManager {
  const root = new URL(base);
  return {
    host: root.host,
    scope: `${root.origin}/.default`,
    async send({ method, path, apiVersion, body }, token, signal) {
      const url = addressOf(root, path);
      if (url === undefined || url.origin !== root.origin) return { kind: 'another-host' };
      if (apiVersion !== undefined) url.searchParams.set('api-version', apiVersion);
      const headers = {
        accept: 'application/json',
        authorization: `Bearer ${token.reveal()}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      return wire({ method, url, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }, signal);
    },
  };
}

/** Where a list goes on: an address, or undefined at its end. */
export function nextLink(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('nextLink' in body)) return undefined;
  return typeof body.nextLink === 'string' && body.nextLink !== '' ? body.nextLink : undefined;
}

function addressOf(root: URL, path: string): URL | undefined {
  const text = /^\/(?!\/)/.test(path) ? root.href.replace(/\/+$/, '') + path : path;
  return URL.parse(text, root.href) ?? undefined;
}
