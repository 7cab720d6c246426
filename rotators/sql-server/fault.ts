/** What can go wrong between us and a SQL Server, by error number: https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors */

import type { Step } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { wireFailure } from '../common/failures.ts';
import { networkFault, tlsFault } from '../common/network.ts';
import { scrubbed } from '../common/scrub.ts';

/**
 * `unreachable`: no answer. `untrusted`: no TLS, or with a certificate nobody vouches for. `refused`: the login was not let in.
 * `missing`: the database cannot be opened. `busy`: not now. `late`: the change came after its time and was not made.
 * `forbidden`: a right is missing. `weak`: the password policy said no. `changed`: the old password was not the one expected.
 * `rejected`: the server said no to the change itself.
 */
export type FaultKind =
  | 'unreachable'
  | 'untrusted'
  | 'refused'
  | 'missing'
  | 'busy'
  | 'late'
  | 'forbidden'
  | 'weak'
  | 'changed'
  | 'rejected';

/** A scrubbed driver error with its meaning. Thrown inside this folder only, and turned into an outcome at its edge. */
export class SqlFault extends Error {
  override readonly name = 'SqlFault';
  readonly kind: FaultKind;
  /** The server's error number, where it gave one. */
  readonly number: number | undefined;
  /** The right that was missing, where it is known better than by who asked. */
  readonly permission: string | undefined;

  constructor(
    kind: FaultKind,
    message: string,
    about: { readonly number?: number; readonly permission?: string; readonly cause?: Error } = {},
  ) {
    super(message, about.cause === undefined ? {} : { cause: about.cause });
    this.kind = kind;
    this.number = about.number;
    this.permission = about.permission;
  }
}

/** Raised by our own fence; see server.ts. Numbers from 50000 up belong to whoever writes the statement. */
export const lateNumber = 50_117;

const numbers: Readonly<Record<FaultKind, readonly number[]>> = {
  late: [lateNumber],
  missing: [911, 916, 4060, 942],
  refused: [18456, 18452, 18470, 18486, 18487, 18488, 15113],
  // Azure SQL Database: the database is moving, starting or over its limits, or its firewall does not let us in.
  unreachable: [40613, 40197, 40532, 40615, 47073, 42108, 42109],
  busy: [1205, 1222, 10928, 10929, 40501, 49918, 49919, 49920],
  forbidden: [15151, 15247, 229, 262, 297, 300, 371, 4613, 6102, 15406],
  weak: [15114, 15115, 15116, 15117, 15118, 15119, 40632],
  changed: [15211],
  untrusted: [],
  rejected: [],
};

const kindByNumber: ReadonlyMap<number, FaultKind> = new Map(
  (Object.keys(numbers).filter(isKind) satisfies FaultKind[]).flatMap((kind) =>
    numbers[kind].map((number): [number, FaultKind] => [number, kind]),
  ),
);

function isKind(key: string): key is FaultKind {
  return key in numbers;
}

// A refused login that names a database comes with two errors; the one about the database says more.
const telling: readonly FaultKind[] = ['missing', 'unreachable', 'busy', 'refused'];

/** The fault of anything the driver may throw. `seen`: error numbers of the login, which the driver keeps to itself. */
export function faultOf(error: unknown, secrets: readonly SecretText[], seen: readonly number[] = []): SqlFault {
  if (error instanceof SqlFault) return error;
  const cause = scrubbed(error, secrets);
  const number = numberOf(error) ?? tellingNumber(seen);
  if (number !== undefined) {
    const kind = kindByNumber.get(number) ?? 'rejected';
    return new SqlFault(kind, `${cause.message} (error ${number})`, { number, cause });
  }
  // The driver gives a handshake that failed the code of a broken socket, so the certificate is asked about first.
  if (tlsFault(error) !== undefined || codeOf(error) === 'EENCRYPT') {
    return new SqlFault('untrusted', cause.message, { cause });
  }
  const broken = networkFault(error) !== undefined || codeOf(error) !== 'EREQUEST';
  return new SqlFault(broken ? 'unreachable' : 'rejected', cause.message, { cause });
}

function numberOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('number' in error)) return undefined;
  return typeof error.number === 'number' ? error.number : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function tellingNumber(seen: readonly number[]): number | undefined {
  const ranked = telling.flatMap((kind) => seen.filter((number) => kindByNumber.get(number) === kind));
  return ranked[0] ?? seen.at(-1);
}

/** Does work that takes a right; when that is missing, the fault names it. */
export async function rightNamed<Result>(permission: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SqlFault) || error.kind !== 'forbidden') throw error;
    throw new SqlFault('forbidden', error.message, { permission, cause: error });
  }
}

export interface FaultPlace {
  readonly step: Step;
  /** Host and port. */
  readonly target: string;
  /** How the one who was connected is named: an admin secret, a login. */
  readonly who: string;
  /** The right that a forbidden change wants. */
  readonly permission?: string;
  /** The login that was to be changed. */
  readonly login?: string;
}

/** The failure of a fault met while working with the admin's rights, or with one's own. */
export function adminFailure(fault: SqlFault, place: FaultPlace): Failure {
  const at = { secret: place.step.secret, target: place.target, detail: fault.message };
  switch (fault.kind) {
    case 'refused':
      return place.step.admin.kind === 'self'
        ? failure('no-live-credential', { secret: at.secret, login: place.who, detail: fault.message }, fault)
        : failure('admin-refused', { ...at, admin: place.who }, fault);
    case 'forbidden':
      return failure(
        'permission-missing',
        { ...at, permission: fault.permission ?? place.permission ?? 'ALTER ANY LOGIN' },
        fault,
      );
    case 'weak':
      return failure('candidate-refused', { ...at, login: place.login ?? place.who }, fault);
    case 'changed':
      // Somebody changed the password since it was last proven. The next attempt asks again which one is true.
      return failure('target-busy', at, fault);
    default:
      return wireFailure(fault, fault.kind, place);
  }
}
