import type { Passwords } from './passwords.ts';
import { mariadbPasswords } from './passwords-mariadb.ts';
import { mysqlPasswords } from './passwords-mysql.ts';
import type { Session } from './session.ts';

/** How the server of the session does it. */
export function passwordsOf(session: Session): Passwords {
  return session.server.flavour === 'MariaDB' ? mariadbPasswords : mysqlPasswords;
}
