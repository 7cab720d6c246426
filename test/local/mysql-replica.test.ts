import { expect, test } from 'vitest';
import { startMysql } from '../../local/mysql/index.ts';
import { asRoot, mysqlReplication, startReplicaPair } from '../../local/mysql-replica.ts';

test('a read-only replica of MySQL gets the accounts of its primary, and refuses to change one with 1290', async () => {
  const pair = await startReplicaPair(
    { start: startMysql, ...mysqlReplication },
    { replicaSettings: ['--super-read-only=ON'] },
  );
  try {
    await asRoot(pair.primary, "CREATE USER app IDENTIFIED BY 'first'");
    await pair.caughtUp();
    const change = asRoot(pair.replica, "ALTER USER app IDENTIFIED BY 'second'");
    await expect(change).rejects.toMatchObject({ errno: 1290 });
  } finally {
    await pair.stop();
  }
});
