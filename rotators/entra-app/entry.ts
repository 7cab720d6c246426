import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type EntraAppTags, entraAppTags } from './tags.ts';

/** Client secrets of an Entra application. */
export const entraApp: RotatorEntry<EntraAppTags> = {
  name: 'entra-app',
  strategies: ['issue-revoke'],
  options: entraAppTags,
  hostless: true,
  identity: ({ options }) => [`${options.tenant}/${options.clientId}`],
  load: async (environment) => (await import('./rotator.ts')).makeEntraAppRotator(environment),
};
