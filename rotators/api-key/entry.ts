import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type ApiKeyOptions, apiKeyTags, defaultStrategy } from './options.ts';

/** API keys, signing keys and tokens: docs/rotators/api-key.md. The tag `provider` says which kind, and with it the strategy. */
export const apiKey: RotatorEntry<ApiKeyOptions> = {
  name: 'api-key',
  strategies: ['issue-revoke', 'dual-key', 'self-issued'],
  defaultStrategy,
  options: apiKeyTags,
  hostless: true,
  load: async (environment) => {
    const { makeApiKeyRotator } = await import('./provider.ts');
    return makeApiKeyRotator(environment);
  },
};
