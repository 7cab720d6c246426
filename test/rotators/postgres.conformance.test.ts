import { startPostgres } from '../../local/postgres.ts';
import { describeRotator } from '../conformance/rotator-conformance.ts';
import { postgresHarness } from './postgres-harness.ts';

describeRotator('postgres', postgresHarness(startPostgres, true));
