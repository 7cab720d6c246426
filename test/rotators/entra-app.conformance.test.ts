import { describeRotator } from '../conformance/rotator-conformance.ts';
import { entraHarness } from './keys/harness-issued.ts';

describeRotator('entra-app', entraHarness);
