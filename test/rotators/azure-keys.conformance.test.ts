import { describeRotator } from '../conformance/rotator-conformance.ts';
import { azureHarness } from './keys/harness-azure.ts';

describeRotator('azure-keys', azureHarness);
