import { createConnection } from 'mysql2/promise';
import { startMariadb } from '../mariadb.ts';
import type { MysqlFamilyServer } from '../mysql-family.ts';
import { putSecret } from './put.ts';
import type { Scene } from './scene.ts';

const secret = 'shop-db';

const init = [
  'CREATE DATABASE shop;',
  'CREATE TABLE shop.visits (id BIGINT AUTO_INCREMENT PRIMARY KEY, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);',
  "CREATE USER rotation_admin@'127.%' IDENTIFIED BY 'sample-password-of-the-admin';",
  "GRANT CREATE USER, PROCESS ON *.* TO rotation_admin@'127.%';",
  "GRANT SELECT ON mysql.* TO rotation_admin@'127.%';",
  "CREATE USER shop_app@'127.%' IDENTIFIED BY 'first-password-of-shop_app';",
  "GRANT SELECT, INSERT ON shop.* TO shop_app@'127.%';",
];

/** MariaDB: one login with two passwords during the overlap. */
export function mariadbScene(): Scene {
  let server: MysqlFamilyServer | undefined;
  return {
    secret,
    about: 'one login that holds two passwords for a while',
    strategy: 'mysql dual-password',
    server: 'MariaDB',
    expected: 'rotated',
    unnoticed: true,
    needs: { program: 'mariadbd', package: 'mariadb-server-core mariadb-client-core' },
    async start() {
      server = await startMariadb({ init, settings: ['--skip-name-resolve'] });
      return {};
    },
    async setUp({ vault }) {
      const at = `127.0.0.1:${server?.port ?? 0}`;
      vault.put('shop-admin', {
        value: `mysql://rotation_admin:sample-password-of-the-admin@${at}/mysql`,
        tags: { serves: 'shop-*' },
      });
      const value = `mysql://shop_app:first-password-of-shop_app@${at}/shop`;
      putSecret(vault, secret, value, { rotator: 'mysql', strategy: 'dual-password', admin: 'shop-admin' });
    },
    use: async (value) => {
      const connection = await createConnection(value);
      try {
        await connection.query('INSERT INTO visits () VALUES ()');
      } finally {
        await connection.end();
      }
    },
    accepts: async (value) => {
      try {
        await (await createConnection(value)).end();
        return true;
      } catch (error) {
        if (error instanceof Error && 'errno' in error && error.errno === 1045) return false;
        throw error;
      }
    },
    close: async () => server?.stop(),
  };
}
