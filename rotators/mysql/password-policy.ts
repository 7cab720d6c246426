/**
 * The rules for passwords that a server's settings say, which every login may read: validate_password of MySQL, as a component and as a
 * plugin (https://dev.mysql.com/doc/refman/8.4/en/validate-password-options-variables.html), and simple_password_check of MariaDB
 * (https://mariadb.com/kb/en/simple-password-check-plugin/). Dictionaries (STRONG, cracklib) cannot be read, and no random password is in one.
 */
import type { TargetRules } from '../../shared/contract/password-rules.ts';
import type { Row } from './wire.ts';

const listed = (table: string) =>
  `(SELECT GROUP_CONCAT(LOWER(VARIABLE_NAME), '=', VARIABLE_VALUE) FROM ${table} WHERE VARIABLE_NAME LIKE 'validate_password%' OR VARIABLE_NAME LIKE 'simple_password_check%')`;

/**
 * A column of any SELECT, so that it costs no statement of its own. Each server knows one of the two tables and takes the other one's column
 * for a comment: MariaDB leaves out versions from 50700 to 99999. MySQL before 8.0 is not asked.
 */
export const policyColumn = `/*M! , ${listed('information_schema.GLOBAL_VARIABLES')} AS passwordPolicy */ /*!80000 , ${listed('performance_schema.global_variables')} AS passwordPolicy */`;

/** Undefined where the server has no such rules, or does not say. */
export function policyIn(row: Row | undefined): TargetRules | undefined {
  const text = row?.['passwordPolicy'];
  const settings = typeof text === 'string' ? text.split(',').map((one) => one.split('=', 2)) : [];
  const most = (...endings: readonly string[]) =>
    Math.max(
      0,
      ...settings.flatMap(([name = '', value]) => (endings.some((end) => name.endsWith(end)) ? [Number(value)] : [])),
    );
  const [first] = settings[0] ?? [];
  if (first === undefined) return undefined;
  const source = first.startsWith('validate') ? 'validate_password' : 'simple_password_check';
  const shortest = most('password.length', 'password_length', 'minimal_length');
  const policies = settings.flatMap(([name = '', value = '']) => (name.endsWith('policy') ? [value] : []));
  const isLow = policies.length > 0 && policies.every((policy) => policy === 'LOW' || policy === '0');
  if (isLow) return { source, shortest };
  const letters = most('mixed_case_count', 'letters_same_case');
  const require = {
    upper: letters,
    lower: letters,
    digit: most('number_count', 'check_digits'),
    special: most('special_char_count', 'other_characters'),
  };
  return { source, shortest, require };
}
