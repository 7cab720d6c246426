/**
 * What was asked of a secret and stands until it is done, in the one tag `requested` of its current version:
 * `emergency=ID,WHEN,WHO;earlier=ID,WHEN,WHO,VERSION;paused=WHEN,WHO[,UNTIL]`.
 *
 * It stands in the vault and not in a message, so that an emergency survives the loss of its message and of the storage account, and a
 * pause does not end in silence. Readable by everyone who may list: ids and times, no free text.
 */
import type { Tags } from '../../contract/ports.ts';
import { type Revocation, readRevocation, revocationText, timeText } from './revocation.ts';
import { longestTag } from './stamp.ts';

export const requestedTag = 'requested';

/** An emergency that was asked for and is not finished. */
export interface EmergencyAsked extends Revocation {
  readonly rotationId: string;
}

/** An emergency about a version that was replaced before anybody got to it. */
export interface EarlierAsked extends EmergencyAsked {
  readonly version: string;
}

/** A person wants no automatic work on the secret. */
export interface Pause extends Revocation {
  /** When it ends on its own; absent: when somebody resumes the secret. */
  readonly until?: Date;
}

export interface Requested {
  /** About the version that bears the tag. */
  readonly emergency?: EmergencyAsked;
  readonly earlier?: EarlierAsked;
  readonly paused?: Pause;
}

/** What stands in the tag. A field that somebody edited into nonsense counts as none, but for a pause: that one holds. Pure. */
export function readRequested(tags: Tags): Requested {
  const text = tags[requestedTag];
  if (text === undefined) return {};
  const fields = new Map(text.split(';').map((field) => splitAt(field, '=')));
  const emergency = readEmergency(fields.get('emergency'));
  const earlier = readEarlier(fields.get('earlier'));
  const paused = readPause(fields.get('paused'));
  return {
    ...(emergency === undefined ? {} : { emergency }),
    ...(earlier === undefined ? {} : { earlier }),
    ...(paused === undefined ? {} : { paused }),
  };
}

/** Tags with what is to stand; without the tag where nothing does. Names of people go first where there is no room. Pure. */
export function withRequested(tags: Tags, requested: Requested): Tags {
  const { [requestedTag]: _before, ...others } = tags;
  const text = textOf(requested, ({ by }) => by);
  const fitting = text.length <= longestTag ? text : textOf(requested, () => '');
  return fitting === '' ? others : { ...others, [requestedTag]: fitting };
}

function textOf({ emergency, earlier, paused }: Requested, by: (each: Revocation) => string): string {
  const who = (each: Revocation) => revocationText({ ...each, by: by(each) });
  const until = paused?.until === undefined ? '' : `,${timeText(paused.until)}`;
  const fields = [
    ...(emergency === undefined ? [] : [`emergency=${emergency.rotationId},${who(emergency)}`]),
    ...(earlier === undefined ? [] : [`earlier=${earlier.rotationId},${who(earlier)},${earlier.version}`]),
    ...(paused === undefined ? [] : [`paused=${who(paused)}${until}`]),
  ];
  return fields.join(';');
}

function splitAt(text: string, separator: string): [before: string, after: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function readEmergency(text: string | undefined): EmergencyAsked | undefined {
  if (text === undefined) return undefined;
  const [rotationId, rest] = splitAt(text, ',');
  const asked = readRevocation(rest);
  return /^[0-9a-f]{32}$/.test(rotationId) && asked !== undefined ? { rotationId, ...asked } : undefined;
}

function readEarlier(text: string | undefined): EarlierAsked | undefined {
  const at = text?.lastIndexOf(',') ?? -1;
  const asked = readEmergency(text?.slice(0, Math.max(at, 0)));
  const version = text?.slice(at + 1) ?? '';
  return asked !== undefined && /^[0-9a-f]{32}$/i.test(version) ? { ...asked, version } : undefined;
}

function readPause(text: string | undefined): Pause | undefined {
  if (text === undefined) return undefined;
  const [at = '', by = '', untilText] = text.split(',');
  const paused = readRevocation(`${at},${by}`) ?? { by: '', at: new Date(0) };
  const until = new Date(untilText ?? '');
  return Number.isNaN(until.getTime()) ? paused : { ...paused, until };
}

/** Whether a pause still holds. Pure. */
export function isPaused({ paused }: Requested, now: Date): boolean {
  return paused !== undefined && (paused.until === undefined || now < paused.until);
}
