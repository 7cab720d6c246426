import { describeRotator } from '../conformance/rotator-conformance.ts';
import { selfIssuedHarness } from './keys/harness-self-issued.ts';

describeRotator('self-issued', selfIssuedHarness);
