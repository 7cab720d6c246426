import { startMariadb } from '../../../local/mariadb.ts';
import type { Flavour } from './bench.ts';

export const onMariadb: Flavour = {
  name: 'MariaDB',
  start: startMariadb,
  settings: [],
  endSessions: 'CONNECTION ADMIN',
  roleOf: 'FOR',
  withoutPassword: 'IDENTIFIED VIA unix_socket',
  locked: "SELECT JSON_VALUE(Priv, '$.account_locked') = '1' AS locked FROM mysql.global_priv WHERE User = ?",
  hasSystemUser: false,
  tables: ['global_priv', 'db', 'tables_priv', 'columns_priv', 'procs_priv', 'roles_mapping', 'proxies_priv'],
};
