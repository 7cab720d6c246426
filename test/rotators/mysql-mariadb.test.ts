import { describe, expect, test } from 'vitest';
import { startMariadb } from '../../local/mariadb.ts';
import { mariadbReplication } from '../../local/mysql-replica.ts';
import { host, snapshot } from './mysql/bench.ts';
import { describeServer } from './mysql/claims.ts';
import { claimsOfCost } from './mysql/claims-cost.ts';
import { claimsOfPasswordErrors } from './mysql/claims-lockout.ts';
import { claimsOfPower } from './mysql/claims-power.ts';
import { expectUntouched, startPairWithAdmin } from './mysql/claims-read-only.ts';
import { claimsOfRules, mariadbOnlyRules } from './mysql/claims-rules.ts';
import { claimsOfTls } from './mysql/claims-tls.ts';
import { onMariadb } from './mysql/on-mariadb.ts';
import { useRig } from './mysql/rig.ts';

describeServer(onMariadb, (rig) => {
  claimsOfPower(rig, ['SET USER ON *.*']);
  claimsOfTls(rig, 'FLUSH SSL');
  claimsOfRules(rig, mariadbOnlyRules);
  claimsOfPasswordErrors(rig);
  test.each(['dual-password', 'single-user', 'alternating-users'] as const)(
    '%s: a change that reaches the server after its time is refused by the server',
    async (strategy) => {
      const current = await rig.bench.makeLogin();
      const before = await snapshot(rig.bench);
      // Time enough to send everything, and none by the clock of the server.
      const late = rig.stepFor(current, strategy, { remainingMs: () => 0.000_001 });
      const candidate = rig.rotator.propose(late, current);
      if ('kind' in candidate) throw new Error(candidate.message);
      expect(await rig.rotator.apply(late, candidate, current)).toMatchObject({ kind: 'failed', code: 'lease-lost' });
      expect(await snapshot(rig.bench)).toEqual(before);
    },
  );

  test('the second login is made with the limits, the host part and the default role of the first', async () => {
    const current = await rig.bench.makeLogin();
    await rig.bench.asOwner('ALTER USER ?@? WITH MAX_QUERIES_PER_HOUR 5000 MAX_USER_CONNECTIONS 7', [
      current.username,
      host,
    ]);
    const candidate = await rig.applied(rig.stepFor(current, 'alternating-users'));
    const shape = async (user: string | undefined) => {
      const columns = 'Host, max_questions, max_user_connections, default_role, plugin';
      return rig.bench.asOwner(`SELECT ${columns} FROM mysql.user WHERE User = ?`, [user]);
    };
    expect(await shape(candidate.username)).toEqual(await shape(current.username));
    expect((await shape(candidate.username))[0]).toMatchObject({ max_user_connections: 7, default_role: 'reporting' });
  });

  test('another way in, beside the password, stays', async () => {
    const current = await rig.bench.makeLogin();
    const show = async () => {
      const [row = {}] = await rig.bench.asOwner('SHOW CREATE USER ?@?', [current.username, host]);
      return String(Object.values(row)[0]);
    };
    const hash = /USING '(\*[0-9A-F]{40})'|PASSWORD '(\*[0-9A-F]{40})'/.exec(await show());
    const text = `ALTER USER ?@? IDENTIFIED VIA unix_socket OR mysql_native_password USING '${hash?.[1] ?? hash?.[2]}'`;
    await rig.bench.asOwner(text, [current.username, host]);
    const candidate = await rig.applied(rig.stepFor(current, 'dual-password'));
    expect(await show()).toContain('unix_socket');
    expect(await rig.bench.logsIn(candidate)).toBe(true);
    expect(await rig.bench.logsIn(current)).toBe(true);
  });
});

test('an admin with every right leaves a read-only replica as it is', async () => {
  const replication = { start: startMariadb, ...mariadbReplication };
  const pair = await startPairWithAdmin(replication);
  try {
    await expectUntouched(replication, pair);
  } finally {
    await pair.stop();
  }
}, 60_000);

describe('with the settings that a server comes with', () => {
  claimsOfCost(useRig(onMariadb), {
    'dual-password': { connections: 4, statements: 5 },
    'single-user': { connections: 4, statements: 5 },
    'alternating-users': { connections: 4, statements: 6 },
  });
});
