import { startDebianPostgres } from '../../local/debian-postgres.ts';
import { describeRotator } from '../conformance/rotator-conformance.ts';
import { postgresHarness } from './postgres-harness.ts';

describeRotator('postgres', postgresHarness(startDebianPostgres, false));
