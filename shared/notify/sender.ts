/** What a kind of channel is made of. */
import type { HttpClient } from '@azure/core-rest-pipeline';
import type { Notice } from '../contract/notice.ts';
import type { Vault } from '../contract/ports.ts';
import type { SecretText } from '../contract/secret-text.ts';
import type { Failure } from '../errors.ts';
import type { Wire } from '../http/client.ts';
import type { ChannelSecrets } from './channel-secrets.ts';

/** `detail`: what happened at the receiver, where that says more than that it took the message. */
export type SendOutcome = { readonly kind: 'delivered'; readonly detail?: string } | Failure;

/** One channel. `send` may be called again for the same notice: whoever receives it can tell by the id. */
export interface Sender {
  send(notice: Notice, signal: AbortSignal): Promise<SendOutcome>;
}

/** What channels need of the app. Made once per process. */
export interface SenderEnvironment {
  readonly wire: Wire;
  /** What `wire` goes over, for a library that brings its own requests. */
  readonly http: HttpClient;
  readonly secrets: ChannelSecrets;
  /** By name, lower case. */
  readonly vaults: ReadonlyMap<string, Vault>;
  /** A token of the app's own identity for `scope`. */
  readonly getToken: (scope: string) => Promise<SecretText>;
  /** Base URL of Azure Resource Manager, without a slash at the end. */
  readonly resourceManager: string;
  readonly now: () => Date;
  /** Resolves after that time, or at once when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}
