import { describe, expect, test } from 'vitest';
import { startMysql } from '../../local/mysql/index.ts';
import { mysqlReplication } from '../../local/mysql-replica.ts';
import { describeServer } from './mysql/claims.ts';
import { claimsOfCost } from './mysql/claims-cost.ts';
import { claimsOfHistory } from './mysql/claims-first.ts';
import { claimsOfFailedLoginAttempts } from './mysql/claims-lockout.ts';
import { claimsOfPasswordRules } from './mysql/claims-password-rules.ts';
import { claimsOfMysqlPlan } from './mysql/claims-plan.ts';
import { claimsOfPower } from './mysql/claims-power.ts';
import { expectUntouched, startPairWithAdmin } from './mysql/claims-read-only.ts';
import { claimsOfRequireCurrent, claimsOfRules, mysqlOnlyRules } from './mysql/claims-rules.ts';
import { claimsOfTls } from './mysql/claims-tls.ts';
import { onMysql } from './mysql/on-mysql.ts';
import { useRig } from './mysql/rig.ts';

describeServer(onMysql, (rig) => {
  claimsOfPower(rig, ['SET_ANY_DEFINER ON *.*', 'SYSTEM_VARIABLES_ADMIN ON *.*', 'ROLE_ADMIN ON *.*']);
  claimsOfTls(rig, 'ALTER INSTANCE RELOAD TLS');
  claimsOfRules(rig, mysqlOnlyRules);
  claimsOfRequireCurrent(rig);
  claimsOfMysqlPlan(rig);
  claimsOfFailedLoginAttempts(rig);
  claimsOfHistory(rig);
  claimsOfPasswordRules(rig);

  test('a crash left an unpublished password first and the published one second: both it and the new one log in, and the lost one no longer', async () => {
    const { bench } = rig;
    const current = await bench.makeLogin();
    const step = rig.stepFor(current, 'dual-password');
    const lost = await rig.applied(step);
    const candidate = await rig.applied(step);
    for (const [credential, expected] of [
      [current, true],
      [candidate, true],
      [lost, false],
    ] as const) {
      expect(await bench.logsIn(credential)).toBe(expected);
    }
    const after = rig.stepFor(candidate, 'dual-password');
    expect(await rig.rotator.retire(after, current)).toMatchObject({ kind: 'retired' });
    expect(await bench.logsIn(candidate)).toBe(true);
    expect(await bench.logsIn(current)).toBe(false);
  });
});

test('an admin with every right leaves a read-only replica as it is', async () => {
  const replication = { start: startMysql, ...mysqlReplication };
  const pair = await startPairWithAdmin(replication);
  try {
    await expectUntouched(replication, pair);
  } finally {
    await pair.stop();
  }
}, 60_000);

describe('with the settings that a server comes with', () => {
  claimsOfCost(useRig(onMysql), {
    'dual-password': { connections: 4, statements: 5 },
    'single-user': { connections: 4, statements: 5 },
    'alternating-users': { connections: 4, statements: 8 },
  });
});
