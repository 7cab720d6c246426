import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type HttpKeysTags, httpKeysTags } from './tags.ts';

/** Keys of a provider that issues them over HTTP; the tag `provider` names the description of its API. */
export const httpKeys: RotatorEntry<HttpKeysTags> = {
  name: 'http-keys',
  strategies: ['issue-revoke'],
  options: httpKeysTags,
  hostless: true,
  identity: ({ options: { provider, resource } }) => [[provider, ...resource].join('/')],
  load: async (environment) => (await import('./rotator.ts')).makeHttpKeysRotator(environment),
};
