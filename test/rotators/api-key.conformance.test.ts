import { describe } from 'vitest';
import { apiKey } from '../../rotators/api-key/entry.ts';
import type { ApiKeyOptions } from '../../rotators/api-key/options.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import type { RotatorHarness } from '../conformance/harness.ts';
import { describeRotator } from '../conformance/rotator-conformance.ts';
import { azureHarness } from './api-key/harness-azure.ts';
import { entraHarness, saasHarness } from './api-key/harness-issued.ts';
import { selfIssuedHarness } from './api-key/harness-self-issued.ts';

type ByStrategy = Omit<RotatorHarness<ApiKeyOptions>, 'entry'>;

function harnessOf(strategy: Strategy): ByStrategy {
  if (strategy === 'self-issued') return selfIssuedHarness;
  return strategy === 'dual-key' ? azureHarness : saasHarness;
}

// One provider for each strategy that the registry entry names. Issued keys are those of a described provider.
describeRotator('api-key', {
  entry: apiKey,
  hostileNames: [],
  features: (strategy) => harnessOf(strategy).features(strategy),
  breakages: (strategy) => harnessOf(strategy).breakages(strategy),
  breakAdmin: async (scene) => (scene.admin.kind === 'identity' ? azureHarness : saasHarness).breakAdmin?.(scene) ?? {},
  start: (strategy) => harnessOf(strategy).start(strategy),
});

describe('provider entra-app', () => {
  describeRotator('api-key', { ...entraHarness, entry: { ...apiKey, strategies: ['issue-revoke'] } });
});
