import type { Credential } from '../../shared/contract/credential.ts';
import type { Step } from '../../shared/contract/rotator.ts';
import type { Azure } from './connect.ts';
import type { ResourceView } from './properties.ts';
import type { AzureKeysTags } from './tags.ts';

/** What a login to the service itself said of a key. */
export type LoginOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly detail: string }
  /** No answer, or one that says nothing about the key (a firewall, a throttle). */
  | { readonly kind: 'unclear'; readonly detail: string }
  /** There is no such call for this service or this key: the listing is the proof. */
  | { readonly kind: 'none' };

/** One login to be tried. */
export interface LoginAt {
  readonly azure: Azure;
  readonly step: Step<AzureKeysTags>;
  readonly view: ResourceView;
  readonly credential: Credential;
}
