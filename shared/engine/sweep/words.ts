/** How a secret stands, as a sentence. */
import type { Activity } from '../../contract/state.ts';
import { failuresText, holdText, pauseText } from '../policy/hold.ts';
import type { Copied, Due, Overlap, Standing } from './standing.ts';

const what: Readonly<Record<Activity, string>> = {
  rotation: 'its rotation',
  retirement: 'the end of its old credential',
  check: 'the check of its credential',
};

/** Without the full stop. Holds nothing secret. */
export function standingText(standing: Standing): string {
  switch (standing.state) {
    case 'unmanaged':
      return 'it has no tag "rotator"';
    case 'opted-out':
      return `its newest version has no tag "rotator", and a version before had it${standing.by === '' ? '' : `; written by ${standing.by}`}`;
    case 'invalid':
      return standing.failure.message;
    case 'drifted':
      return standing.trouble.last.message;
    case 'failing':
      return `${what[standing.activity]} fails (${failuresText(standing.trouble)}): ${standing.trouble.last.message}`;
    case 'retrying':
      return retryingText(standing);
    case 'paused':
      return 'pause' in standing
        ? pauseText(standing.pause)
        : `paused after ${failuresText(standing.trouble)}: ${standing.trouble.last.message}`;
    case 'shared':
      return `${standing.with.join(', ')} publish the same login`;
    case 'in-flight':
      return inFlightText(standing);
    case 'due':
      return dueText(standing);
    case 'overlap':
      return overlapText(standing);
    case 'copy':
      return copyText(standing);
    case 'healthy':
      return `due at ${standing.dueAt.toISOString()}`;
  }
}

function inFlightText({ candidateOf, isStored }: Extract<Standing, { state: 'in-flight' }>): string {
  if (candidateOf !== undefined)
    return `it holds the candidate of ${candidateOf}, which is not published yet; the sweep goes on with it`;
  if (isStored === true) return 'its next credential is stored and not published yet; the sweep goes on with it';
  return 'a rotation or a retirement is under way';
}

function copyText({ end, isCurrent }: Copied): string {
  const { vault, secret } = end.source;
  const of = `${end.as === 'copy' ? 'a copy of' : 'derived from'} ${vault === undefined ? '' : `${vault}/`}${secret}`;
  if (isCurrent === undefined) return `${of}, and renewed with it`;
  return `${of}, and ${isCurrent ? 'as current as it is' : 'behind it; the next sweep goes on with it'}`;
}

function retryingText({ activity, trouble }: Extract<Standing, { state: 'drifted' | 'failing' | 'retrying' }>): string {
  const alive = trouble.unpublished
    ? '; the target accepts a new credential that no version holds yet, and the next try overwrites, drops or revokes it'
    : '';
  return `${what[activity]} is tried again (${failuresText(trouble)}): ${trouble.last.message}${alive}`;
}

function dueText({ since, expiredAt, waits, emergency }: Due): string {
  const expired = expiredAt === undefined ? '' : `expired at ${expiredAt.toISOString()}; `;
  if (emergency !== undefined) {
    const by = emergency.by === '' ? 'somebody' : emergency.by;
    return `${expired}an emergency that ${by} asked for at ${since.toISOString()} is not finished; the sweep goes on with it`;
  }
  return `${expired}due since ${since.toISOString()}; ${waitsText(waits)}`;
}

function waitsText(waits: Due['waits']): string {
  if (waits === undefined) return 'the next sweep or event starts its rotation';
  switch (waits.by) {
    case 'window':
      return `it may start ${waits.text}`;
    case 'owner':
      return `${waits.owner === '' ? 'its owner' : waits.owner} has to replace it by hand`;
    default:
      return holdText(waits);
  }
}

function overlapText({ retireBy, revoke, over, waitsFor }: Overlap): string {
  const waits = waitsFor.length === 0 ? '' : `; still on it: ${waitsFor.join(', ')}`;
  const until = retireBy.toISOString();
  if (revoke) return `the previous credential is to be revoked since ${until}; the sweep goes on with it${waits}`;
  if (over) return `the overlap of the previous credential ended at ${until}; the next sweep ends it${waits}`;
  return `the previous credential works until ${until}${waits}`;
}
