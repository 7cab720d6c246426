import { apiKey } from '../../rotators/api-key/entry.ts';
import { describeRotator } from '../conformance/rotator-conformance.ts';
import { azureBreakages, azureFeatures, breakIdentity, startAzureTarget } from './api-key/harness-azure.ts';
import { selfIssuedBreakages, selfIssuedFeatures, startSelfIssuedTarget } from './api-key/harness-self-issued.ts';

describeRotator('api-key', {
  entry: apiKey,
  features: (strategy) => (strategy === 'self-issued' ? selfIssuedFeatures : azureFeatures),
  hostileNames: [],
  breakages: (strategy) => (strategy === 'self-issued' ? selfIssuedBreakages : azureBreakages),
  breakAdmin: breakIdentity,
  start: (strategy) => (strategy === 'self-issued' ? startSelfIssuedTarget() : startAzureTarget()),
});
