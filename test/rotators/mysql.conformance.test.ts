import { describeRotator } from '../conformance/rotator-conformance.ts';
import { harnessOf } from './mysql/harness.ts';
import { onMysql } from './mysql/on-mysql.ts';

describeRotator('mysql', harnessOf(onMysql, 28));
