/** Where the two servers keep accounts: the columns, as one SELECT asks for them and as they come back. */
import * as z from 'zod';
import { parseJson } from '../../shared/json.ts';
import { literalInAnyMode } from './quote.ts';
import { mariadbRules, mysqlAttributes, mysqlRuleColumns, mysqlRules } from './rules.ts';

const mariadbColumns = 'User AS user, Host AS host, CAST(Priv AS CHAR) AS priv';
const mysqlColumns = `User AS user, Host AS host, plugin, HEX(authentication_string) AS first, account_locked AS locked, CAST(User_attributes AS CHAR) AS attributes, ${mysqlRuleColumns}`;

/** The accounts of these names. Roles of MariaDB, which have no host, are none. `names`: texts in a statement. */
export const mariadbAccounts = (names: string) =>
  `SELECT ${mariadbColumns} FROM mysql.global_priv WHERE User IN (${names}) AND Host <> ''`;
export const mysqlAccounts = (names: string) => `SELECT ${mysqlColumns} FROM mysql.user WHERE User IN (${names})`;

/**
 * The end of a SELECT without tables that gives a row for each of these accounts, and one where there are none. Each server takes the
 * other one's part for a comment; MySQL before 8.0 takes both for one. Means the same in every SQL mode.
 */
export function withAccounts(users: readonly string[]): string {
  const names = users.map(literalInAnyMode).join(', ');
  const joined = (table: string, more = '') =>
    `FROM (SELECT 1) AS alone LEFT JOIN ${table} ON User IN (${names})${more}`;
  const mariadb = `/*M! , ${mariadbColumns} ${joined('mysql.global_priv', " AND Host <> ''")} */`;
  return `${mariadb} /*!80000 , ${mysqlColumns} ${joined('mysql.user')} */`;
}

const method = z.object({ plugin: z.string().optional(), authentication_string: z.string().optional() });

/** The column Priv of mysql.global_priv: https://mariadb.com/kb/en/mysqlglobal_priv-table/ */
const privileges = method.extend({
  ...mariadbRules.shape,
  auth_or: z.array(method).optional(),
  account_locked: z.boolean().optional(),
});

export const mariadbRows = z.array(
  z.object({ user: z.string(), host: z.string(), priv: z.string().transform(parseJson).pipe(privileges) }),
);

export const mysqlRows = z.array(
  mysqlRules.extend({
    user: z.string(),
    host: z.string(),
    plugin: z.string(),
    first: z.string(),
    locked: z.string(),
    attributes: z
      .string()
      .nullable()
      .transform((text) => (text === null ? {} : parseJson(text)))
      .pipe(mysqlAttributes),
  }),
);
