import { describeRotator } from '../conformance/rotator-conformance.ts';
import { harnessFor } from './sql-server-harness.ts';

describeRotator('sql-server', harnessFor({ account: 'contained-user' }));
