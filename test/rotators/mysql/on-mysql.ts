import { startMysql } from '../../../local/mysql/index.ts';
import type { Flavour } from './bench.ts';

export const onMysql: Flavour = {
  name: 'MySQL',
  start: startMysql,
  settings: ['--plugin-load-add=auth_socket=auth_socket.so'],
  endSessions: 'CONNECTION_ADMIN',
  roleOf: 'TO',
  withoutPassword: 'IDENTIFIED WITH auth_socket',
  locked: "SELECT account_locked = 'Y' AS locked FROM mysql.user WHERE User = ?",
  hasSystemUser: true,
  tables: [
    'user',
    'db',
    'tables_priv',
    'columns_priv',
    'procs_priv',
    'role_edges',
    'default_roles',
    'proxies_priv',
    'global_grants',
    'password_history',
  ],
};
