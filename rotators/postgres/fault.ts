/** What can go wrong between us and a Postgres server, by SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
import { DatabaseError } from 'pg';
import type { Step } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { wireFailure } from '../common/failures.ts';
import { networkFault, tlsFault } from '../common/network.ts';
import { scrubbed } from '../common/scrub.ts';

/**
 * `unreachable`: no answer. `untrusted`: no TLS, or with a certificate nobody vouches for. `refused`: the login was not let in.
 * `missing`: the database does not exist. `busy`: not now. `read-only`: a standby, or a server that an operator fenced. `late`: the
 * change came after its time and was not made. `forbidden`: a right is missing. `rejected`: the server said no to the change itself.
 */
export type FaultKind =
  | 'unreachable'
  | 'untrusted'
  | 'refused'
  | 'missing'
  | 'busy'
  | 'read-only'
  | 'late'
  | 'forbidden'
  | 'rejected';

/** A scrubbed driver error with its meaning. Thrown inside this folder only, and turned into an outcome at its edge. */
export class PostgresFault extends Error {
  override readonly name = 'PostgresFault';
  readonly kind: FaultKind;
  /** SQLSTATE or the system's code, where there is one. */
  readonly code: string | undefined;

  constructor(kind: FaultKind, message: string, options: { readonly code?: string; readonly cause?: Error } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.kind = kind;
    this.code = options.code;
  }
}

/** Raised by our own fence; see fenced.ts. Classes of SQLSTATE that begin with K are nobody else's. */
export const lateState = 'KT001';

const kindByState: Readonly<Record<string, FaultKind>> = {
  [lateState]: 'late',
  '28P01': 'refused',
  '28000': 'refused',
  '3D000': 'missing',
  '42501': 'forbidden',
  '40001': 'busy',
  '40P01': 'busy',
  '55P03': 'busy',
  '57014': 'busy',
  // Limits on time that a login or a database has among its settings.
  '25P03': 'busy',
  '25P04': 'busy',
  '57P05': 'busy',
  '25006': 'read-only',
  // Two workers created the same login at once: the next attempt finds it.
  '42710': 'busy',
  '23505': 'busy',
};

const kindByClass: Readonly<Record<string, FaultKind>> = { '08': 'unreachable', '53': 'busy', '57': 'unreachable' };

/**
 * A pooler answers for itself with 08P01, the code of a broken protocol, whatever it has to say: the sentences of PgBouncer's client.c, and
 * of Pgpool-II's pool_auth.c. What is not among them is no evidence about a password.
 */
const saidByPoolers: readonly (readonly [RegExp, FaultKind])[] = [
  [/authentication failed|no such user|user has MD5 secret|password mismatch/i, 'refused'],
  [/no such database/i, 'missing'],
  [/no more connections allowed|too many connections|sorry, too many clients/i, 'busy'],
  [/unsupported startup parameter/i, 'rejected'],
];

/** The fault of anything a driver may throw. */
export function faultOf(error: unknown, secrets: readonly SecretText[]): PostgresFault {
  if (error instanceof PostgresFault) return error;
  const cause = scrubbed(error, secrets);
  const { message } = cause;
  // What it means is read from what was said, also where that is left out of what is told.
  const said = error instanceof Error ? error.message : '';
  if (error instanceof DatabaseError) {
    const code = error.code ?? 'XX000';
    // ALTER ROLE takes no lock that waits for another one; the loser of a race gets this internal error.
    const lostRace = code === 'XX000' && said.includes('concurrently updated');
    const byPooler = code === '08P01' ? saidByPoolers.find(([words]) => words.test(said))?.[1] : undefined;
    const byState = kindByState[code] ?? kindByClass[code.slice(0, 2)] ?? 'rejected';
    const kind = lostRace ? 'busy' : (byPooler ?? byState);
    return new PostgresFault(kind, `${message} (SQLSTATE ${code})`, { code, cause });
  }
  const network = networkFault(error);
  if (network !== undefined) return new PostgresFault('unreachable', message, { code: network, cause });
  const tls = tlsFault(error);
  if (tls !== undefined) return new PostgresFault('untrusted', message, { code: tls, cause });
  if (/does not support SSL|establishing an SSL connection/.test(said)) {
    return new PostgresFault('untrusted', message, { cause });
  }
  if (said.startsWith('SASL:')) return new PostgresFault('rejected', message, { cause });
  return new PostgresFault('unreachable', message, { cause });
}

export interface FaultPlace {
  readonly step: Step;
  /** Host and port. */
  readonly target: string;
  /** How the one who was connected is named: an admin secret, a login. */
  readonly who: string;
  /** The right that a forbidden change wants. */
  readonly permission?: string;
}

/** The failure of a fault met while working with the admin's rights. */
export function adminFailure(fault: PostgresFault, place: FaultPlace): Failure {
  const at = { secret: place.step.secret, target: place.target, detail: fault.message };
  switch (fault.kind) {
    case 'refused':
      return failure('admin-refused', { ...at, admin: place.who }, fault);
    case 'forbidden':
      return failure('permission-missing', { ...at, permission: place.permission ?? 'CREATEROLE' }, fault);
    case 'unreachable':
    case 'untrusted':
    case 'missing':
    case 'busy':
    case 'read-only':
    case 'late':
    case 'rejected':
      return wireFailure(fault, fault.kind, place);
  }
}
