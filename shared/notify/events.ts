/** The news as machines get it: types, and the data that goes with them. docs/notifications.md shows each. */
import type { Notice } from '../contract/notice.ts';
import type { NoticeType } from '../contract/notice-types.ts';

export const eventTypes: Readonly<Record<NoticeType, string>> = {
  rotated: 'Keyturn.SecretRotated',
  retired: 'Keyturn.SecretRetired',
  waiting: 'Keyturn.RetirementWaiting',
  failed: 'Keyturn.RotationFailed',
  quarantined: 'Keyturn.SecretQuarantined',
  drifted: 'Keyturn.SecretDrifted',
};

/** What is told of a secret: everything of the notice but what is there for Keyturn itself. */
export function dataOf(notice: Notice) {
  const { channels: _channels, id: _id, type: _type, ...data } = notice;
  return data;
}

/** Together with the id it is unique among all events. */
export function sourceOf(notice: Notice): string {
  return `/keyturn/vaults/${notice.vault}`;
}
