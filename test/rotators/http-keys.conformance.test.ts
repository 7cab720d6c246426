import { describeRotator } from '../conformance/rotator-conformance.ts';
import { saasHarness } from './keys/harness-issued.ts';

describeRotator('http-keys', saasHarness);
