/** The rules of an account besides its password: transport, limits, expiry, history and locks, as a statement takes them. */
import * as z from 'zod';
import { literal } from './quote.ts';

/** How many failed logins in a row close an account. */
export interface Lockout {
  readonly attempts: number;
  /** As people write it: `2 days`, `until an administrator unlocks it`. */
  readonly until: string;
}

export interface Rules {
  /** REQUIRE, WITH and PASSWORD …: the same for the second login of a pair. */
  readonly text: string;
  /** COMMENT and attributes, for a new account. */
  readonly attributes: string;
  readonly lockout?: Lockout;
  /** Days until a password has to be changed; 0: never. Absent: the server's default. */
  readonly lifetimeDays?: number;
  /** Whether earlier passwords may be refused. */
  readonly remembers: boolean;
  /** Further factors that a login needs. */
  readonly moreFactors: boolean;
}

interface Transport {
  readonly type: '' | 'ANY' | 'X509' | 'SPECIFIED';
  readonly cipher: string;
  readonly issuer: string;
  readonly subject: string;
}

function required({ type, cipher, issuer, subject }: Transport): string {
  switch (type) {
    case '':
      return 'REQUIRE NONE';
    case 'ANY':
      return 'REQUIRE SSL';
    case 'X509':
      return 'REQUIRE X509';
    case 'SPECIFIED': {
      const parts = Object.entries({ CIPHER: cipher, ISSUER: issuer, SUBJECT: subject });
      const given = parts.flatMap(([name, value]) => (value === '' ? [] : [`${name} ${literal(value)}`]));
      return `REQUIRE ${given.join(' AND ')}`;
    }
  }
}

/** `value`: NULL stands for the server's default and 0 for never. */
function expiry(days: number | null): string {
  if (days === null) return 'PASSWORD EXPIRE DEFAULT';
  return days === 0 ? 'PASSWORD EXPIRE NEVER' : `PASSWORD EXPIRE INTERVAL ${days} DAY`;
}

const number = z.coerce.number();

/** Columns of `mysql.user`: https://dev.mysql.com/doc/refman/8.4/en/grant-tables.html */
export const mysqlRules = z.object({
  type: z.enum(['', 'ANY', 'X509', 'SPECIFIED']),
  cipher: z.string(),
  issuer: z.string(),
  subject: z.string(),
  queries: number,
  updates: number,
  connections: number,
  sessions: number,
  lifetime: number.nullable(),
  history: number.nullable(),
  reuse: number.nullable(),
  requireCurrent: z.enum(['Y', 'N']).nullable(),
});

export const mysqlRuleColumns =
  'ssl_type AS type, CAST(ssl_cipher AS CHAR) AS cipher, CAST(x509_issuer AS CHAR) AS issuer, CAST(x509_subject AS CHAR) AS subject, max_questions AS queries, max_updates AS updates, max_connections AS connections, max_user_connections AS sessions, password_lifetime AS lifetime, Password_reuse_history AS history, Password_reuse_time AS reuse, Password_require_current AS requireCurrent';

/** What the column User_attributes may hold. */
export const mysqlAttributes = z.object({
  additional_password: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  Password_locking: z.object({ failed_login_attempts: number, password_lock_time_days: number }).optional(),
  multi_factor_authentication: z.unknown().optional(),
});

export function rulesOnMysql(
  row: z.infer<typeof mysqlRules>,
  { metadata, Password_locking: locking, multi_factor_authentication: factors }: z.infer<typeof mysqlAttributes>,
  version: number,
): Rules {
  const attempts = locking?.failed_login_attempts ?? 0;
  const days = locking?.password_lock_time_days ?? 0;
  const text = [
    required(row),
    `WITH MAX_QUERIES_PER_HOUR ${row.queries} MAX_UPDATES_PER_HOUR ${row.updates} MAX_CONNECTIONS_PER_HOUR ${row.connections} MAX_USER_CONNECTIONS ${row.sessions}`,
    expiry(row.lifetime),
    `PASSWORD HISTORY ${row.history ?? 'DEFAULT'}`,
    `PASSWORD REUSE INTERVAL ${row.reuse === null ? 'DEFAULT' : `${row.reuse} DAY`}`,
    `PASSWORD REQUIRE CURRENT${{ Y: '', N: ' OPTIONAL', null: ' DEFAULT' }[row.requireCurrent ?? 'null']}`,
    // Since 8.0.19, and not to be written before.
    ...(version < 80_019
      ? []
      : [`FAILED_LOGIN_ATTEMPTS ${attempts} PASSWORD_LOCK_TIME ${days < 0 ? 'UNBOUNDED' : days}`]),
  ];
  const until = days < 0 ? 'an administrator unlocks it' : `${days} ${days === 1 ? 'day is' : 'days are'} over`;
  return {
    text: text.join(' '),
    attributes: metadata === undefined ? '' : ` ATTRIBUTE ${literal(JSON.stringify(metadata))}`,
    ...(attempts > 0 && days !== 0 ? { lockout: { attempts, until } } : {}),
    ...(row.lifetime === null ? {} : { lifetimeDays: row.lifetime }),
    remembers: (row.history ?? 0) > 0 || (row.reuse ?? 0) > 0,
    moreFactors: factors !== undefined,
  };
}

/** The same of mysql.global_priv: https://mariadb.com/kb/en/mysqlglobal_priv-table/ */
export const mariadbRules = z.object({
  ssl_type: number.default(0),
  ssl_cipher: z.string().default(''),
  x509_issuer: z.string().default(''),
  x509_subject: z.string().default(''),
  max_questions: number.default(0),
  max_updates: number.default(0),
  max_connections: number.default(0),
  max_user_connections: number.default(0),
  max_statement_time: number.default(0),
  password_lifetime: number.default(-1),
});

const transports = ['', 'ANY', 'X509', 'SPECIFIED'] as const;

export function rulesOnMariadb(document: z.infer<typeof mariadbRules>): Rules {
  const lifetime = document.password_lifetime < 0 ? null : document.password_lifetime;
  const text = [
    required({
      type: transports[document.ssl_type] ?? 'ANY',
      cipher: document.ssl_cipher,
      issuer: document.x509_issuer,
      subject: document.x509_subject,
    }),
    `WITH MAX_QUERIES_PER_HOUR ${document.max_questions} MAX_UPDATES_PER_HOUR ${document.max_updates} MAX_CONNECTIONS_PER_HOUR ${document.max_connections} MAX_USER_CONNECTIONS ${document.max_user_connections} MAX_STATEMENT_TIME ${document.max_statement_time}`,
    expiry(lifetime),
  ];
  return {
    text: text.join(' '),
    attributes: '',
    ...(lifetime === null ? {} : { lifetimeDays: lifetime }),
    remembers: false,
    moreFactors: false,
  };
}
