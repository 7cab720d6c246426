import { expect, test } from 'vitest';
import { startMariadb } from '../../local/mariadb.ts';
import { asRoot, mariadbReplication, startReplicaPair } from '../../local/mysql-replica.ts';

test('a read-only replica of MariaDB gets the accounts of its primary', async () => {
  const pair = await startReplicaPair({ start: startMariadb, ...mariadbReplication });
  try {
    await asRoot(pair.primary, "CREATE USER app IDENTIFIED BY 'first'");
    await pair.caughtUp();
    const known = await asRoot(pair.replica, "SELECT @@read_only AS ro, User FROM mysql.user WHERE User = 'app'");
    expect(known).toEqual([{ ro: 1, User: 'app' }]);
  } finally {
    await pair.stop();
  }
});
