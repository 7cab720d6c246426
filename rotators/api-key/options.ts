/** The tags of API keys, read into what each provider needs. */
import { z } from 'zod';
import type { Tags } from '../../shared/contract/ports.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { type AzureOptions, azureTags } from './azure/options.ts';
import { type EntraAppOptions, entraAppTags } from './entra-app/options.ts';
import { type HttpOptions, httpTags } from './http/options.ts';
import { type SelfIssuedOptions, selfIssuedTags } from './self-issued/options.ts';

export type ApiKeyOptions = SelfIssuedOptions | AzureOptions | EntraAppOptions | HttpOptions;

/** The one strategy that each kind of provider can do. */
export const strategyOf = {
  'self-issued': 'self-issued',
  azure: 'dual-key',
  'entra-app': 'issue-revoke',
  http: 'issue-revoke',
} as const satisfies Record<ApiKeyOptions['kind'], Strategy>;

const named = z.looseObject({
  provider: z
    .string({ error: 'add the tag "provider": self-issued, azure, entra-app or the name of a provider description' })
    .regex(
      /^[a-z0-9][a-z0-9-]{0,62}$/,
      'write the provider in lower case: self-issued, azure, entra-app or a description',
    ),
});

/** Reads the tags of one secret. Each issue is a sentence about one tag. */
export const apiKeyTags: z.ZodType<ApiKeyOptions> = named.transform((tags, context): ApiKeyOptions => {
  const result = schemaFor(tags.provider).safeParse(tags);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    context.issues.push({ code: 'custom', input: tags, path: issue.path, message: issue.message });
  }
  return z.NEVER;
});

/** The strategy of the provider that the tags name. */
export function defaultStrategy(tags: Tags): Strategy {
  return strategyOf[kindOf(tags['provider'] ?? '')];
}

function kindOf(provider: string): ApiKeyOptions['kind'] {
  return provider === 'self-issued' || provider === 'azure' || provider === 'entra-app' ? provider : 'http';
}

function schemaFor(provider: string): z.ZodType<ApiKeyOptions> {
  switch (kindOf(provider)) {
    case 'self-issued':
      return selfIssuedTags;
    case 'azure':
      return azureTags;
    case 'entra-app':
      return entraAppTags;
    case 'http':
      return httpTags;
  }
}
