/** The news as machines get it: types, and the data that goes with them. docs/notifications.md shows each. */
import type { Notice } from '../contract/notice.ts';
import type { NoticeType } from '../contract/notice-types.ts';
import type { Activity } from '../contract/state.ts';

const eventTypes: Readonly<Record<Exclude<NoticeType, 'failed'>, string>> = {
  rotated: 'Keyturn.SecretRotated',
  retired: 'Keyturn.SecretRetired',
  waiting: 'Keyturn.RetirementWaiting',
  paused: 'Keyturn.SecretPaused',
  drifted: 'Keyturn.SecretDrifted',
  announced: 'Keyturn.RotationAnnounced',
  reminder: 'Keyturn.ReplacementDue',
  approval: 'Keyturn.ApprovalWanted',
  bypassed: 'Keyturn.ApprovalBypassed',
};

const failures: Readonly<Record<Activity, string>> = {
  rotation: 'Keyturn.RotationFailed',
  retirement: 'Keyturn.RetirementFailed',
  check: 'Keyturn.CheckFailed',
};

export function eventTypeOf({ type, activity = 'rotation' }: Notice): string {
  return type === 'failed' ? failures[activity] : eventTypes[type];
}

/** What is told of a secret: everything of the notice but what is there for Keyturn itself. */
export function dataOf(notice: Notice) {
  const { channels: _channels, id: _id, type: _type, ...data } = notice;
  return data;
}

/** Together with the id it is unique among all events. */
export function sourceOf(notice: Notice): string {
  return `/keyturn/vaults/${notice.vault}`;
}
