/**
 * The rules for passwords that a server's settings say: validate_password of MySQL, as a component and as a plugin
 * (https://dev.mysql.com/doc/refman/8.4/en/validate-password-options-variables.html), and simple_password_check of MariaDB
 * (https://mariadb.com/kb/en/simple-password-check-plugin/). Dictionaries (STRONG, cracklib) cannot be read, and no random password is in one.
 */
import type { TargetRules } from '../../shared/contract/password-rules.ts';
import type { GlobalSettings } from './global-settings.ts';

/** Undefined where the server has no such rules, or does not say. */
export function policyIn(all: GlobalSettings | undefined): TargetRules | undefined {
  const settings = [...(all ?? [])].filter(([name]) => /^(validate_password|simple_password_check)/.test(name));
  const [first] = settings[0] ?? [];
  if (first === undefined) return undefined;
  const most = (...endings: readonly string[]) =>
    Math.max(
      0,
      ...settings.flatMap(([name, value]) => (endings.some((end) => name.endsWith(end)) ? [Number(value)] : [])),
    );
  const source = first.startsWith('validate') ? 'validate_password' : 'simple_password_check';
  const shortest = most('password.length', 'password_length', 'minimal_length');
  const policies = settings.flatMap(([name, value]) => (name.endsWith('policy') ? [value] : []));
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
