/** Settings of the whole server that every login may read and that a rotation has to know: what passwords must be like, what closes a login. */
import type { Row } from './wire.ts';

/**
 * After how many failed logins in a row the server refuses more, and what ends that. MariaDB:
 * https://mariadb.com/kb/en/server-system-variables/#max_password_errors, MySQL's connection control as a plugin and, since 9.2, as a
 * component: https://dev.mysql.com/doc/refman/9.2/en/connection-control.html
 */
export const lockoutSettings: Readonly<Record<string, string>> = {
  max_password_errors: 'FLUSH PRIVILEGES',
  connection_control_failed_connections_threshold: 'a login succeeds, each later answer being delayed',
  'component_connection_control.failed_connections_threshold': 'a login succeeds, each later answer being delayed',
};

/** The names of settings as a statement lists them. */
export const lockoutNames = Object.keys(lockoutSettings)
  .map((name) => `'${name}'`)
  .join(', ');

/** A setting that every server has: where it is not listed, nothing is said by the others' absence. */
const everywhere = 'max_connections';

// Each ends with a comma, and their number stands before them: the server cuts such a list at group_concat_max_len without a word.
const listed = (table: string) =>
  `(SELECT CONCAT(COUNT(*), ':', GROUP_CONCAT(LOWER(VARIABLE_NAME), '=', VARIABLE_VALUE, ',' SEPARATOR '')) FROM ${table} WHERE ((VARIABLE_NAME LIKE 'validate_password%' OR VARIABLE_NAME LIKE 'simple_password_check%') AND VARIABLE_NAME NOT LIKE '%dictionary%') OR VARIABLE_NAME IN (${lockoutNames}, '${everywhere}'))`;

/**
 * A column of any SELECT, so that it costs no statement of its own. Each server knows one of the two tables and takes the other one's column
 * for a comment: MariaDB leaves out versions from 50700 to 99999. MySQL before 8.0 is not asked.
 */
export const settingsColumn = `/*M! , ${listed('information_schema.GLOBAL_VARIABLES')} AS settings */ /*!80000 , ${listed('performance_schema.global_variables')} AS settings */`;

export type GlobalSettings = ReadonlyMap<string, string>;

/** By name, in small letters. Undefined where the server does not say, or not all of it. */
export function settingsIn(row: Row | undefined): GlobalSettings | undefined {
  const text = row?.['settings'];
  if (typeof text !== 'string') return undefined;
  const [count, list = ''] = text.split(/:(.*)/s, 2);
  const entries = list.split(',');
  const isWhole = entries.pop() === '' && entries.length === Number(count);
  const settings = new Map(entries.map((entry): [string, string] => halves(entry)));
  return isWhole && settings.has(everywhere) ? settings : undefined;
}

function halves(entry: string): [string, string] {
  const [name = '', value = ''] = entry.split('=', 2);
  return [name, value];
}
