import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type AzureKeysTags, azureKeysTags } from './tags.ts';

/** The two keys of an Azure resource. */
export const azureKeys: RotatorEntry<AzureKeysTags> = {
  name: 'azure-keys',
  strategies: ['dual-key'],
  options: azureKeysTags,
  hostless: true,
  identity: ({ options }) => [options.resource.toLowerCase()],
  load: async (environment) => (await import('./rotator.ts')).makeAzureKeysRotator(environment),
};
