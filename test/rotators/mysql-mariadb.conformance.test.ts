import { describeRotator } from '../conformance/rotator-conformance.ts';
import { harnessOf } from './mysql/harness.ts';
import { onMariadb } from './mysql/on-mariadb.ts';

describeRotator('mysql', harnessOf(onMariadb, 76));
