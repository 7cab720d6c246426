/** A server that takes no changes: nothing is written there, whatever the admin could do. */
import { expect, test } from 'vitest';
import { asRoot, type ReplicaPair, type Replication, startReplicaPair } from '../../../local/mysql-replica.ts';
import type { MysqlTags } from '../../../rotators/mysql/tags.ts';
import { makeStep, newPassword } from '../../conformance/step.ts';
import { admin, host, loadMysql } from './bench.ts';
import type { Rig } from './rig.ts';

const strategies = ['dual-password', 'single-user', 'alternating-users'] as const;

export function claimsOfReadOnly(rig: Rig): void {
  test.each(strategies)('%s: a server set to read-only is not changed, and tried again', async (strategy) => {
    const current = await rig.bench.makeLogin();
    const step = rig.stepFor(current, strategy);
    const candidate = rig.rotator.propose(step, current);
    if ('kind' in candidate) throw new Error(candidate.message);
    await rig.bench.asOwner('SET GLOBAL read_only = ON');
    try {
      expect(await rig.rotator.apply(step, candidate, current)).toMatchObject({
        kind: 'failed',
        code: 'target-read-only',
        class: 'retry',
      });
      expect(await rig.rotator.verify(step, current)).toEqual({ kind: 'accepted' });
      const checks = await rig.rotator.check(step);
      expect(checks).toContainEqual(expect.objectContaining({ name: 'writable', state: 'failed' }));
    } finally {
      await rig.bench.asOwner('SET GLOBAL read_only = OFF');
    }
    expect(await rig.rotator.apply(step, candidate, current)).toMatchObject({ kind: 'applied' });
  });

  test('an old password is not taken away on a server set to read-only', async () => {
    const current = await rig.bench.makeLogin();
    const candidate = await rig.applied(rig.stepFor(current, 'dual-password'));
    const step = rig.stepFor(candidate, 'dual-password');
    await rig.bench.asOwner('SET GLOBAL read_only = ON');
    try {
      expect(await rig.rotator.retire(step, current)).toMatchObject({ code: 'target-read-only', class: 'retry' });
    } finally {
      await rig.bench.asOwner('SET GLOBAL read_only = OFF');
    }
    expect(await rig.rotator.retire(step, current)).toMatchObject({ kind: 'retired' });
    expect(await rig.bench.logsIn(current)).toBe(false);
  });
}

/** Starts a primary with a read-only replica, where an admin holds every right that there is. */
export function startPairWithAdmin(replication: Replication): Promise<ReplicaPair> {
  return startReplicaPair(replication, {
    settings: ['--skip-name-resolve'],
    init: [
      `CREATE USER rotation_admin@'${host}' IDENTIFIED BY '${admin.password.reveal()}';`,
      `GRANT ALL PRIVILEGES ON *.* TO rotation_admin@'${host}' WITH GRANT OPTION;`,
      `CREATE USER app@'${host}' IDENTIFIED BY 'password-of-the-application';`,
    ],
  });
}

/** An admin that could write to the replica does not: its history stays the primary's. */
export async function expectUntouched(replication: Replication, pair: ReplicaPair): Promise<void> {
  const done = async () => (await asRoot(pair.replica, replication.done))[0]?.['done'];
  const before = await done();
  const rotator = await loadMysql();
  const endpoint = { host: '127.0.0.1', port: pair.replica.port, options: {} };
  const current = { username: 'app', password: newPassword() };
  for (const strategy of strategies) {
    const connection = { kind: 'connection', secret: 'mysql-admin', credential: admin } as const;
    const parts = { current, endpoint, adminEndpoint: endpoint, admin: connection, options: {} };
    const step = makeStep<MysqlTags>(strategy, parts);
    const candidate = rotator.propose(step, current);
    if ('kind' in candidate) throw new Error(candidate.message);
    const outcome = await rotator.apply(step, candidate, current);
    expect(outcome).toMatchObject({ code: 'target-read-only', class: 'retry' });
  }
  expect(await done()).toBe(before);
}
