/** What the history keeps of an attempt. */
import type { RotationRecord } from '../contract/ports.ts';
import type { RotationRequest } from '../engine/policy/request.ts';
import type { RetirementRequest } from '../engine/retirement/request.ts';
import type { RetirementResult, Waiting } from '../engine/retirement/result.ts';
import type { RotationResult } from '../engine/rotation/result.ts';
import type { Published } from '../engine/running/dependencies.ts';
import type { Attempted, Failed, Skipped, StepRecord } from '../engine/running/result.ts';

export interface Times {
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** When it is tried again; absent: what became of it is final. */
  readonly nextTryAt?: Date;
}

export function rotationRecord(request: RotationRequest, result: RotationResult, times: Times): RotationRecord {
  const about = aboutAttempt('rotation', request, result, times);
  switch (result.kind) {
    case 'rotated': {
      const { from, to, login, reason: due, warnings } = result;
      const reason = request.reason ?? (due === 'found' ? request.mode : due);
      return {
        ...about,
        outcome: 'rotated',
        reason,
        from,
        to,
        ...loginField(login),
        ...(warnings.length === 0 ? {} : { warnings }),
      };
    }
    case 'skipped':
      return { ...about, ...leftAs(result, times) };
    case 'failed':
      return { ...about, ...failedAs(result, times) };
  }
}

function loginField(login: string | undefined): Pick<RotationRecord, 'login'> {
  return login === undefined ? {} : { login };
}

/** That the version is there, before anybody is told of it: should the worker die now, the history does not deny it. */
export function publishedRecord(
  { requestedBy, reason, mode }: RotationRequest,
  { rotationId, vault, secret, from, to, login, warnings }: Published,
  {
    startedAt,
    steps,
    outcome,
  }: { readonly startedAt: Date; readonly steps: readonly StepRecord[]; readonly outcome: 'rotated' | 'running' },
): RotationRecord {
  return {
    ...{ rotationId, vault, secret, activity: 'rotation', requestedBy, reason: reason ?? mode, startedAt, outcome },
    ...(from === '' ? {} : { from }),
    ...{ to, steps: [...steps], ...loginField(login) },
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

export function retirementRecord(request: RetirementRequest, result: RetirementResult, times: Times): RotationRecord {
  const about = aboutAttempt('retirement', request, result, times);
  switch (result.kind) {
    case 'retired': {
      const who = [...result.logins, ...holders(result.cut)].join(', ');
      return { ...about, outcome: 'retired', detail: `${result.evidence}: ${who}` };
    }
    case 'waiting':
      return { ...about, outcome: 'waiting', detail: `in use by ${holders(result.holding).join(', ')}` };
    case 'skipped':
      return { ...about, ...leftAs(result, times) };
    case 'failed':
      return { ...about, ...failedAs(result, times) };
  }
}

/** Of a credential that was found ended, by a worker that left no record. What allowed it is not known any more. */
export function foundRetiredRecord(request: RetirementRequest, found: Skipped, times: Times): RotationRecord {
  return { ...aboutAttempt('retirement', request, found, times), outcome: 'retired', detail: found.detail };
}

function aboutAttempt(
  activity: RotationRecord['activity'],
  request: RotationRequest | RetirementRequest,
  { rotationId, vault, secret, steps }: Attempted,
  { startedAt, endedAt, nextTryAt }: Times,
) {
  const { requestedBy, reason = request.mode } = request;
  const next = nextTryAt === undefined ? {} : { nextTryAt };
  return { ...{ rotationId, vault, secret, activity, steps, startedAt, endedAt, requestedBy, reason }, ...next };
}

/** A request that comes back is not over, whatever this attempt made of it. */
function leftAs({ reason, detail }: Skipped, { nextTryAt }: Times): Pick<RotationRecord, 'outcome' | 'detail'> {
  return { outcome: nextTryAt === undefined ? 'skipped' : 'retrying', detail: `${reason}: ${detail}` };
}

function failedAs(
  { failure: { code, message, hint }, published, unpublished }: Failed,
  { nextTryAt }: Times,
): Pick<RotationRecord, 'outcome' | 'detail' | 'failure' | 'from' | 'to'> {
  return {
    outcome: nextTryAt === undefined ? 'failed' : 'retrying',
    failure: { code, message, hint },
    ...(published === undefined ? {} : { ...published, detail: halfDone }),
    ...(unpublished === true ? { detail: unheld } : {}),
  };
}

const halfDone = 'half done: the new version is current, and what comes after it failed';
const unheld = 'the target accepts a new credential that no version holds yet';

/** A message of a queue holds 48 KB, and a large fleet has more sessions than fit or than anybody reads. */
const mostHolders = 50;

/** Who is on an old credential, as names for people. */
export function holders(holding: Waiting['holding']): string[] {
  const all = [...holding.consumers, ...holding.sessions].map((one) => one.slice(0, 200));
  const left = all.length - mostHolders;
  return left <= 0 ? all : [...all.slice(0, mostHolders), `${left} more`];
}
