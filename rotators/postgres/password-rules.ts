/**
 * What extensions of the server ask of passwords, by settings that every login may read: credcheck
 * (https://github.com/HexaCluster/credcheck) and passwordcheck (its length since PostgreSQL 18). Keyturn sends stored forms of passwords, which
 * no extension can look into: the rules are kept without being judged, and credcheck has to be told to take them.
 */
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import { breaksTarget, type TargetRules } from '../../shared/contract/password-rules.ts';
import type { RotatorCheck } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { rulesLine } from '../common/password-rules.ts';
import { adminTarget, type Work } from './connect.ts';
import type { Question } from './question.ts';
import { quoteName } from './quote.ts';
import type { Session } from './talk.ts';

const lengths = ['credcheck.password_min_length', 'passwordcheck.min_password_length'] as const;
const classes = {
  upper: 'credcheck.password_min_upper',
  lower: 'credcheck.password_min_lower',
  digit: 'credcheck.password_min_digit',
  special: 'credcheck.password_min_special',
} as const;
const excluded = 'credcheck.password_not_contain';
const ignoresCase = 'credcheck.password_ignore_case';
const takesStored = 'credcheck.encrypted_password_allowed';

const names = [...lengths, ...Object.values(classes), excluded, ignoresCase, takesStored];

const setting = z.object({ name: z.string(), value: z.string() });
type Setting = z.infer<typeof setting>;

/** A setting that the server does not know is left out. */
const question: Question<Setting> = {
  sql: `SELECT name, current_setting(name, true) AS value FROM unnest(ARRAY[${names.map((name) => `'${name}'`).join(', ')}]::text[]) AS name
  WHERE current_setting(name, true) <> ''`,
  row: setting,
};

/** Undefined where nothing is asked. */
function policyIn(rows: readonly Setting[]): TargetRules | undefined {
  const value = (name: string) => rows.find((row) => row.name === name)?.value;
  const number = (name: string) => countIn(value(name));
  const [first] = rows;
  if (first === undefined) return undefined;
  const exclude = value(excluded) ?? '';
  const caseless = isOn(value(ignoresCase));
  return {
    source: first.name.slice(0, first.name.indexOf('.')),
    shortest: Math.max(...lengths.map(number)),
    require: {
      upper: number(classes.upper),
      lower: number(classes.lower),
      digit: number(classes.digit),
      special: number(classes.special),
    },
    ...(exclude === '' ? {} : { exclude: caseless ? exclude.toLowerCase() + exclude.toUpperCase() : exclude }),
  };
}

/** PostgreSQL writes a length as a size in bytes: `48B`, `1kB`. */
function countIn(text = '0'): number {
  const [, digits = '0', unit] = /^(\d+)(k?B)?$/.exec(text) ?? [];
  return Number(digits) * (unit === 'kB' ? 1024 : 1);
}

function isOn(value: string | undefined): boolean {
  return value === 'on' || value === 'true' || value === '1';
}

/** Whether credcheck refuses what Keyturn sends to whoever asked. */
function refusesStoredForms(rows: readonly Setting[]): boolean {
  return (
    rows.some(({ name }) => name.startsWith('credcheck.')) && !isOn(rows.find((row) => row.name === takesStored)?.value)
  );
}

/**
 * A password that was drawn in this attempt and breaks a rule makes room for one that is drawn by it. One that comes from the vault is set as
 * it is: the server does not judge it, and the login may have it already. Asked with other questions it costs no message of its own.
 */
export async function objectionToPassword(
  { step, memory }: Work,
  session: Session,
  { username = '', password }: Credential,
): Promise<Failure | undefined> {
  const target = policyIn(await session.rows(question));
  if (target === undefined || !memory.drawn.has(password)) return undefined;
  memory.rules.set(step.current, target);
  const broken = breaksTarget(target, password.reveal());
  if (broken === undefined) return undefined;
  const detail = `${target.source} asks for another one: ${broken}`;
  return failure('candidate-refused', { secret: step.secret, target: adminTarget(step), login: username, detail });
}

/** `login`: who sets the password. */
export async function passwordLines({ step }: Work, session: Session, login: string): Promise<readonly RotatorCheck[]> {
  const rows = await session.rows(question);
  const lines = rulesLine(step, policyIn(rows));
  if (!refusesStoredForms(rows)) return lines;
  const detail = 'credcheck takes no stored forms of passwords (credcheck.encrypted_password_allowed is off)';
  const fix = `Run ALTER ROLE ${quoteName(login)} SET credcheck.encrypted_password_allowed = on;`;
  return [...lines, { name: 'stored passwords', state: 'failed', detail, fix }];
}
