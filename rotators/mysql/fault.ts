/**
 * What went wrong, from the server's error number (https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html,
 * https://mariadb.com/kb/en/mariadb-error-code-reference/) or from the socket.
 */
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { networkFault, tlsFault } from '../common/network.ts';
import { scrubbed, scrubbedText } from '../common/scrub.ts';

export type FaultKind =
  /** No answer: no evidence about a credential. */
  | 'unreachable'
  | 'untrusted'
  /** The login was refused. */
  | 'refused'
  | 'busy'
  | 'forbidden'
  | 'missing'
  /** A password policy said no. */
  | 'policy'
  /** It came after its time, and the server did not do it. */
  | 'late'
  | 'unsupported'
  /** A name is too long for the server. */
  | 'no-room'
  /** The server takes no changes now. */
  | 'read-only'
  /** The login must not be handed out through this secret. */
  | 'unsafe'
  | 'rejected';

export interface Fault {
  readonly kind: 'fault';
  readonly fault: FaultKind;
  /** `host:port`. */
  readonly target: string;
  /** Scrubbed. */
  readonly detail: string;
  /** The server's error number. */
  readonly errno?: number;
  /** The right that is missing, where it is known. */
  readonly permission?: string;
  readonly cause?: Error;
}

export function fault(kind: FaultKind, target: string, detail: string): Fault {
  return { kind: 'fault', fault: kind, target, detail };
}

// 1040 too many connections, 1203 and 1226 the login's own limits, 1053 and 1077 shutting down, 1205 and 1213 locks, 3024 and 1969 time limits,
// 1021 and 1114 no room on the disk, 1037, 1038 and 1041 no memory
const busy = new Set([1021, 1037, 1038, 1040, 1041, 1053, 1077, 1079, 1114, 1203, 1205, 1213, 1226, 1969, 3024]);
// 1045 wrong password, 1698 no password was expected, 1130 no account for this host, 1820 and 1862 expired, 3118 and 4151 locked
const refused = new Set([1045, 1130, 1251, 1698, 1820, 1862, 3118, 3955, 4151]);
// 1044 database, 1142 table, 1143 column, 1227 global, 1370 routine, 1410 grants, 1698 and 1045 for statements, 3530 roles
const forbidden = new Set([1044, 1045, 1095, 1142, 1143, 1227, 1370, 1410, 1698, 1873, 1959, 3530, 3619, 3879]);
// 1133 and 1396 no such account, 1141 no grants of such an account, 1049 no such database, 3523 no such role
const missing = new Set([1049, 1133, 1141, 1396, 3523]);
// 1819 the policy, 3638 and 3903 used before, 4067 not verifiable
const policy = new Set([1819, 3638, 3903, 4067]);

// 1524 a plugin that is not loaded, 3878 and 3895 an empty password beside another one
const unsupported = new Set([1524, 3878, 3895]);

export type Moment = 'login' | 'statement';

/** The meaning of a driver's error. */
export function faultOf(
  target: string,
  error: unknown,
  moment: Moment,
  secrets: readonly SecretText[],
  aborted: boolean,
): Fault {
  const errno = errnoOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const detail = aborted ? 'the time for the step ran out' : scrubbedText(message, secrets);
  const kind = aborted
    ? 'unreachable'
    : errno === undefined
      ? kindOfSocket(error, message)
      : kindOf(errno, moment, message);
  const cause = scrubbed(error, secrets);
  const permission = kind === 'forbidden' ? rightIn(message) : undefined;
  return {
    kind: 'fault',
    fault: kind,
    target,
    detail,
    cause,
    ...(errno === undefined ? {} : { errno }),
    ...(permission === undefined ? {} : { permission }),
  };
}

// MySQL and MariaDB name what would have been enough.
function rightIn(message: string): string | undefined {
  return /need \(at least one of\) the (.+?) privilege/.exec(message)?.[1];
}

function kindOf(errno: number, moment: Moment, message: string): FaultKind {
  // 1290 names one of several options, 1836 is that of InnoDB, 1792 that of new transactions.
  if (errno === 1792 || errno === 1836 || (errno === 1290 && /read.only/i.test(message))) return 'read-only';
  if (busy.has(errno)) return 'busy';
  // An expired password shows only at the first statement.
  if (moment === 'login' ? refused.has(errno) : errno === 1820) return 'refused';
  if (forbidden.has(errno)) return 'forbidden';
  if (missing.has(errno)) return 'missing';
  if (policy.has(errno)) return 'policy';
  if (unsupported.has(errno)) return 'unsupported';
  if (errno === 1644) return 'late';
  return 'rejected';
}

function kindOfSocket(error: unknown, message: string): FaultKind {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // The driver gives every failure during the handshake the same code, a reset just like a bad certificate.
  if (networkFault(error) !== undefined || /ECONNRESET|socket hang up|disconnected|timed? ?out/i.test(message)) {
    return 'unreachable';
  }
  const handshake = code === 'HANDSHAKE_SSL_ERROR' || code === 'HANDSHAKE_NO_SSL_SUPPORT';
  if (handshake || tlsFault(error) !== undefined || /certificate|altname/i.test(message)) return 'untrusted';
  return /plugin/i.test(message) ? 'rejected' : 'unreachable';
}

// Socket errors carry a number too, but a negative one.
function errnoOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return undefined;
  return error.errno > 0 && 'sqlState' in error ? error.errno : undefined;
}

/** The failure to answer with when the admin's session met a fault. */
export function adminFailure(step: { readonly secret: string }, admin: string, login: string, met: Fault): Failure {
  const at = { secret: step.secret, target: met.target, detail: met.detail };
  switch (met.fault) {
    case 'unreachable':
      return failure('target-unreachable', at, met.cause);
    case 'untrusted':
      return failure('target-tls', at, met.cause);
    case 'refused':
      return failure('admin-refused', { ...at, admin }, met.cause);
    case 'late':
      return failure('lease-lost', { secret: step.secret, step: 'apply' }, met.cause);
    case 'unsafe':
      return failure('login-not-safe', { ...at, login }, met.cause);
    case 'busy':
      return failure('target-busy', at, met.cause);
    case 'forbidden':
      return failure('permission-missing', { ...at, permission: met.permission ?? 'a right' }, met.cause);
    case 'missing':
      return failure('target-missing', at, met.cause);
    case 'policy':
      return failure('candidate-refused', { ...at, login }, met.cause);
    case 'unsupported':
      return failure(
        'strategy-unsupported',
        { secret: step.secret, detail: `${met.target}: ${met.detail}` },
        met.cause,
      );
    case 'no-room':
      return failure('tag-invalid', { secret: step.secret, problems: [{ tag: 'users', detail: met.detail }] });
    case 'read-only':
      return failure('target-read-only', at, met.cause);
    case 'rejected':
      return failure('target-refused', at, met.cause);
  }
}
