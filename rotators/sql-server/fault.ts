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
  | 'read-only'
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
  /** The numbers of everything the server said in the same answer. */
  readonly numbers: readonly number[];
  /** The right that was missing, where it is known better than by who asked. */
  readonly permission: string | undefined;

  constructor(
    kind: FaultKind,
    message: string,
    about: {
      readonly number?: number;
      readonly numbers?: readonly number[];
      readonly permission?: string;
      readonly cause?: Error;
    } = {},
  ) {
    super(message, about.cause === undefined ? {} : { cause: about.cause });
    this.kind = kind;
    this.number = about.number;
    this.numbers = about.numbers ?? (about.number === undefined ? [] : [about.number]);
    this.permission = about.permission;
  }
}

/** Raised by our own fence; see server.ts. Numbers from 50000 up belong to whoever writes the statement. */
export const lateNumber = 50_117;

/** A database that was paused, or is being moved: the login that found it so has woken it. */
export const wakingNumbers: readonly number[] = [40613, 42109];

/** The database may only be missing for a moment: what Azure says while it moves one. */
const cannotOpen = 4060;

const numbers: Readonly<Record<FaultKind, readonly number[]>> = {
  late: [lateNumber],
  missing: [911, 916, cannotOpen, 942, 4064],
  // 18486 locked out, 18487 expired, 18488 must change: nobody gets in with it, whether it is the right password or not.
  refused: [18456, 18452, 18470, 18486, 18487, 18488, 15113],
  // The server is starting, stopping or full, or the database is: moving, recovering, in a group that changes sides. On Azure SQL Database
  // also a firewall that does not let us in.
  unreachable: [
    ...wakingNumbers,
    ...[40143, 40166, 40197, 40532, 40540, 40615, 47073, 42108],
    ...[17142, 17187, 18401, 615, 921, 922, 926, 976, 983, 4221],
  ],
  // 9002: the log is full, 1101 and 1105: its files are. 15114: the password is too new to be changed again.
  busy: [701, 1101, 1105, 1205, 1222, 9002, 10928, 10929, 15114, 40501, 49918, 49919, 49920],
  // As on a replica, or while the database is moved.
  'read-only': [3906],
  forbidden: [15151, 15247, 229, 262, 297, 300, 371, 4613, 6102, 15406],
  weak: [15115, 15116, 15117, 15118, 15119, 40632],
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
const telling: readonly FaultKind[] = ['missing', 'unreachable', 'busy', 'read-only', 'refused'];

/** What the server was doing when it failed. */
export interface Met {
  /** Error numbers that it sent; of a login the driver keeps them to itself. */
  readonly seen?: readonly number[];
  readonly atLogin?: boolean;
  /** Azure SQL Database by the name of its host, which is all that is known before the login. */
  readonly azure?: boolean;
}

/** The fault of anything the driver may throw. */
export function faultOf(error: unknown, secrets: readonly SecretText[], met: Met = {}): SqlFault {
  if (error instanceof SqlFault) return error;
  const { seen = [] } = met;
  const cause = scrubbed(error instanceof AggregateError ? (error.errors[0] ?? error) : error, secrets);
  const number = numberOf(error) ?? tellingNumber(seen);
  if (number !== undefined) {
    const numbers = seen.length === 0 ? [number] : [...seen];
    return new SqlFault(kindOf(number, met), `${cause.message} (error ${number})`, { number, numbers, cause });
  }
  // The driver gives a handshake that failed the code of a broken socket, so the certificate is asked about first.
  if (tlsFault(error) !== undefined || codeOf(error) === 'EENCRYPT') {
    return new SqlFault('untrusted', cause.message, { cause });
  }
  const broken = networkFault(error) !== undefined || codeOf(error) !== 'EREQUEST';
  return new SqlFault(broken ? 'unreachable' : 'rejected', cause.message, { cause });
}

/** At a login a number that is not known here is no verdict about the password. */
function kindOf(number: number, { atLogin = false, azure = false }: Met): FaultKind {
  if (azure && number === cannotOpen) return 'unreachable';
  return kindByNumber.get(number) ?? (atLogin ? 'unreachable' : 'rejected');
}

function numberOf(error: unknown): number | undefined {
  if (error instanceof AggregateError) return error.errors.map(numberOf).find((number) => number !== undefined);
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
    const { numbers } = error;
    throw new SqlFault('forbidden', error.message, {
      permission: error.permission ?? permission,
      numbers,
      cause: error,
    });
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
